//! What a user does with backups: full, incremental, of a snapshot, of a volume in use; find, look at, name, restore, delete.

use crate::{Scene, abreast};

#[test]
fn a_user_backs_up_finds_restores_and_deletes() {
    let Some(scene) = Scene::begin("") else { return };
    let (ada, admin) = (scene.ada(), scene.admin());
    let rest = scene.cinder.rest("ada", "p");
    let volume = scene.cinder.volume(&rest, "disk", 1);
    scene.cinder.fill(&volume, 1, 5 << 20);
    let create = |arguments: &[&str]| {
        let made = ada.cinder(&[&["backup-create"], arguments].concat()).fine();
        let id = made.value("id");
        scene.wait("backups", &id, "available");
        id
    };

    let full = create(&[
        "disk",
        "--name",
        "full",
        "--description",
        "the first",
        "--metadata",
        "a=b",
    ]);
    let stored = scene.stored(&full);
    assert_eq!(
        (&stored["status"], &stored["is_incremental"]),
        (&"available".into(), &false.into())
    );
    assert!(scene.objects(&full) >= 3, "data, digests and metadata are stored");
    let first = scene.cinder.content(&volume);
    let snapshot = ada
        .cinder(&["snapshot-create", "disk", "--name", "then"])
        .fine()
        .value("id");
    scene.wait("snapshots", &snapshot, "available");
    scene.cinder.fill(&volume, 2, 1 << 20);
    let incremental = create(&["disk", "--name", "incremental", "--incremental"]);
    let stored = scene.stored(&incremental);
    assert_eq!(
        (&stored["is_incremental"], &stored["parent_id"]),
        (&true.into(), &full.as_str().into())
    );

    // A snapshot is backed up as it was; a volume in use only by force.
    let of_snapshot = create(&["disk", "--name", "snapshot", "--snapshot-id", &snapshot]);
    let _ = admin
        .cinder(&["reset-state", "--state", "in-use", &volume])
        .fine();
    ada.cinder(&["backup-create", "disk"]).refused("HTTP 400");
    let forced = create(&["disk", "--name", "forced", "--force"]);
    assert_eq!(scene.wait("volumes", &volume, "in-use")["status"], "in-use");
    let _ = admin
        .cinder(&["reset-state", "--state", "available", &volume])
        .fine();

    let ids = |arguments: &[&str]| {
        let list = ada.cinder(&[&["backup-list"], arguments].concat()).fine();
        list.column("ID")
    };
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    let all = sorted(vec![
        full.clone(),
        incremental.clone(),
        of_snapshot.clone(),
        forced.clone(),
    ]);
    abreast(&[
        &|| assert_eq!(sorted(ids(&[])), all),
        &|| assert_eq!(ids(&["--name", "full"]), [full.as_str()]),
        &|| assert_eq!(ids(&["--status", "error"]).len(), 0),
        &|| assert_eq!(sorted(ids(&["--volume-id", &volume])), all),
        &|| assert_eq!(ids(&["--filters", "name~=incre"]), [incremental.as_str()]),
        &|| {
            let list = ada
                .cinder(&["backup-list", "--with-count", "--limit", "1"])
                .fine();
            assert_eq!(list.rows().len(), 1);
            assert!(list.out.contains("Backup in total: 4"), "{}", list.out);
        },
        // Pages, one after another by name, are the whole.
        &|| {
            let mut seen = Vec::new();
            let mut marker: Option<String> = None;
            loop {
                let mut arguments = vec!["--sort", "name:asc", "--limit", "3"];
                if let Some(marker) = &marker {
                    arguments.extend(["--marker", marker.as_str()]);
                }
                let page = ids(&arguments);
                let Some(last) = page.last() else { break };
                marker = Some(last.clone());
                seen.extend(page);
            }
            assert_eq!(seen, [&*forced, &*full, &*incremental, &*of_snapshot]);
        },
        &|| {
            let shown = ada.cinder(&["backup-show", "full"]).fine();
            assert_eq!(
                (shown.value("id"), shown.value("description")),
                (full.clone(), "the first".into())
            );
            assert_eq!(
                (shown.value("size"), shown.value("volume_id")),
                ("1".into(), volume.clone())
            );
            assert_eq!(shown.value("has_dependent_backups"), "True");
            assert_eq!(shown.value("metadata"), "{'a': 'b'}");
        },
        &|| {
            let shown = ada.cinder(&["backup-show", &incremental]).fine();
            assert_eq!(
                (shown.value("name"), shown.value("is_incremental")),
                ("incremental".into(), "True".into())
            );
        },
    ]);
    let update = ["--name", "renamed", "--description", "other", "--metadata", "c=d"];
    let _ = ada
        .cinder(&[&["backup-update", "forced"], &update[..]].concat())
        .fine();
    let shown = ada.cinder(&["backup-show", &forced]).fine();
    let seen = (
        shown.value("name"),
        shown.value("description"),
        shown.value("metadata"),
    );
    assert_eq!(seen, ("renamed".into(), "other".into(), "{'c': 'd'}".into()));
    // The offset is of the API, not of the client.
    let page = rest
        .get("/v3/backups?sort=name:asc&limit=2&offset=2")
        .expect(200)
        .json();
    assert_eq!(page["backups"][0]["id"], forced.as_str());

    // Restores: to a new volume, to one that is there, and of an old chain.
    let now = scene.cinder.content(&volume);
    let target = scene.cinder.volume(&rest, "target", 1);
    let content = |id: &str| scene.cinder.content(id);
    abreast(&[
        &|| {
            let said = ada.cinder(&["backup-restore", "full", "--name", "whole"]).fine();
            assert_eq!(
                (said.value("backup_id"), said.value("volume_name")),
                (full.clone(), "whole".into())
            );
            let id = said.value("volume_id");
            scene.wait("volumes", &id, "available");
            assert!(
                content(&id) == first,
                "a full backup restores to what the volume was"
            );
        },
        &|| {
            let said = ada
                .cinder(&["backup-restore", "incremental", "--volume", "target"])
                .fine();
            assert_eq!(said.value("volume_id"), target);
            scene.wait("volumes", &target, "available");
            assert!(
                content(&target) == now,
                "an incremental backup restores to what the volume was"
            );
        },
        &|| {
            let said = ada.cinder(&["backup-restore", &of_snapshot]).fine();
            assert_eq!(said.value("volume_name"), format!("restore_backup_{of_snapshot}"));
            let id = said.value("volume_id");
            scene.wait("volumes", &id, "available");
            assert!(
                content(&id) == first,
                "a snapshot's backup restores to what the snapshot is"
            );
        },
        &|| {
            let made = ada
                .cinder(&["create", "--backup-id", &forced, "--name", "made"])
                .fine();
            let id = made.value("id");
            scene.wait("volumes", &id, "available");
            assert!(content(&id) == now, "a volume of a backup is what the volume was");
        },
    ]);
    scene.wait("backups", &full, "available");

    // Children first.
    ada.cinder(&["backup-delete", "full"])
        .refused("Incremental backups exist for this backup");
    let _ = ada
        .cinder(&["backup-delete", "incremental", "renamed", &of_snapshot])
        .fine();
    for id in [&incremental, &forced, &of_snapshot] {
        scene.wait_gone("backups", id);
    }
    let _ = ada.cinder(&["backup-delete", &full]).fine();
    scene.wait_gone("backups", &full);
    for id in [&full, &incremental, &of_snapshot, &forced] {
        assert_eq!(scene.objects(id), 0, "nothing is left of a deleted backup");
    }
    assert_eq!(ids(&[]).len(), 0);
}
