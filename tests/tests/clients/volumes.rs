//! What a user does with volumes and snapshots: make, look at, name, extend, delete; and make one of what is there.

use cofferdam_tests::cinder::volume_files;

use crate::{Scene, abreast};

#[test]
fn a_user_makes_and_keeps_volumes_and_snapshots() {
    let Some(scene) = Scene::begin("") else { return };
    let ada = scene.ada();
    let made = ada
        .cinder(&[
            "create",
            "1",
            "--name",
            "first",
            "--description",
            "a disk",
            "--metadata",
            "k=v",
        ])
        .fine();
    let first = made.value("id");
    assert_eq!(
        (made.value("name"), made.value("size")),
        ("first".into(), "1".into())
    );
    scene.wait("volumes", &first, "available");
    assert_eq!(
        std::fs::metadata(scene.cinder.volume_file(&first))
            .expect("the file is there")
            .len(),
        1 << 30
    );
    scene.cinder.fill(&first, 1, 3 << 20);

    abreast(&[
        &|| {
            let list = ada.cinder(&["list", "--name", "first"]).fine();
            assert_eq!(list.column("ID"), [first.as_str()]);
            assert_eq!(list.column("Status"), ["available"]);
        },
        &|| {
            let shown = ada.cinder(&["show", "first"]).fine();
            assert_eq!(shown.value("description"), "a disk");
            assert_eq!(shown.value("id"), first);
        },
        &|| {
            let _ = ada
                .cinder(&["metadata", &first, "set", "color=blue", "size=large"])
                .fine();
            let _ = ada.cinder(&["metadata", &first, "unset", "size"]).fine();
            let kept = ada.cinder(&["metadata-show", &first]).fine();
            assert_eq!(
                (kept.value("color"), kept.value("k")),
                ("blue".into(), "v".into())
            );
            assert_eq!(kept.rows().len(), 2);
        },
        &|| {
            let types = ada.cinder(&["type-list"]).fine();
            assert_eq!(types.rows().len(), 1);
            let name = &types.column("Name")[0];
            let of_type = ada
                .cinder(&["create", "1", "--name", "typed", "--volume-type", name])
                .fine();
            scene.wait("volumes", &of_type.value("id"), "available");
            ada.cinder(&["create", "1", "--volume-type", "no-such-type"])
                .refused("HTTP 404");
        },
        &|| {
            let snapshot = ada
                .cinder(&[
                    "snapshot-create",
                    &first,
                    "--name",
                    "then",
                    "--description",
                    "before",
                ])
                .fine();
            scene.wait("snapshots", &snapshot.value("id"), "available");
        },
    ]);
    let snapshots = ada.cinder(&["snapshot-list", "--volume-id", &first]).fine();
    assert_eq!(snapshots.column("Name"), ["then"]);
    let snapshot = snapshots.column("ID")[0].clone();

    // What was made of a snapshot is the volume of then, not of now.
    let then = scene.cinder.content(&first);
    scene.cinder.fill(&first, 2, 3 << 20);
    abreast(&[
        &|| {
            let shown = ada.cinder(&["snapshot-show", "then"]).fine();
            assert_eq!(
                (shown.value("volume_id"), shown.value("size")),
                (first.clone(), "1".into())
            );
        },
        &|| {
            let made = ada
                .cinder(&["create", "--snapshot-id", &snapshot, "--name", "of-then"])
                .fine();
            let id = made.value("id");
            scene.wait("volumes", &id, "available");
            let file = scene.cinder.content(&id);
            assert!(file == then, "the volume of a snapshot is not the snapshot");
        },
        &|| {
            let made = ada
                .cinder(&["create", "--source-volid", &first, "--name", "copy"])
                .fine();
            let id = made.value("id");
            scene.wait("volumes", &id, "available");
            assert!(
                scene.cinder.content(&id) == scene.cinder.content(&first),
                "a copy is not the volume"
            );
        },
        // A volume with snapshots stays.
        &|| ada.cinder(&["delete", &first]).refused("HTTP 400"),
    ]);

    abreast(&[
        &|| {
            let _ = ada
                .cinder(&["rename", "first", "renamed", "--description", "another"])
                .fine();
            let shown = ada.cinder(&["show", "renamed"]).fine();
            assert_eq!(
                (shown.value("id"), shown.value("description")),
                (first.clone(), "another".into())
            );
        },
        &|| {
            let _ = ada.cinder(&["extend", "copy", "2"]).fine();
            let copy = ada.cinder(&["show", "copy"]).fine().value("id");
            let copy = scene.wait("volumes", &copy, "available");
            assert_eq!(copy["size"], 2);
            let file = scene.cinder.volume_file(copy["id"].as_str().expect("an id"));
            assert_eq!(std::fs::metadata(file).expect("the file is there").len(), 2 << 30);
            // Smaller it does not get.
            ada.cinder(&["extend", "copy", "1"]).refused("HTTP 400");
        },
    ]);

    // Another project sees nothing of it; an admin sees it when asking for all.
    let (bob, admin) = (scene.caller("bob", "q"), scene.caller("admin", "other"));
    abreast(&[
        &|| assert_eq!(bob.cinder(&["list"]).fine().rows().len(), 0),
        &|| {
            bob.cinder(&["show", &first])
                .refused("No volume with a name or ID")
        },
        &|| bob.cinder(&["delete", &first]).refused(""),
        &|| assert_eq!(admin.cinder(&["list", "--all-tenants"]).fine().rows().len(), 4),
    ]);
    let _ = ada.cinder(&["snapshot-delete", "then"]).fine();
    scene.wait_gone("snapshots", &snapshot);
    let list = ada.cinder(&["list"]).fine().column("ID");
    let delete: Vec<&str> = std::iter::once("delete")
        .chain(list.iter().map(String::as_str))
        .collect();
    let _ = ada.cinder(&delete).fine();
    for id in &list {
        scene.wait_gone("volumes", id);
    }
    let left = volume_files(&scene.cinder.path("volumes"));
    assert_eq!(
        left,
        Vec::<std::path::PathBuf>::new(),
        "no file outlives its volume"
    );
}
