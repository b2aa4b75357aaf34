//! What is refused, to whom, and that it says so: what is not there, what is another project's, what is in the wrong state, what a
//! role may not.

use crate::{Scene, abreast};

#[test]
fn what_is_not_there_or_not_ready_is_refused_with_the_reason() {
    let Some(scene) = Scene::begin("") else { return };
    let (ada, admin) = (scene.ada(), scene.admin());
    let rest = scene.cinder.rest("ada", "p");
    let volume = scene.cinder.volume(&rest, "disk", 2);
    let small = scene.cinder.volume(&rest, "small", 1);
    let backup = scene.cinder.backup(&rest, &volume, "whole");
    let broken = scene.cinder.backup(&rest, &volume, "broken");
    let _ = admin
        .cinder(&["backup-reset-state", "--state", "error", "broken"])
        .fine();
    let nobody = "00000000-0000-4000-8000-000000000000";
    abreast(&[
        &|| {
            ada.cinder(&["backup-show", nobody])
                .refused("No volumebackup with a name or ID")
        },
        &|| {
            ada.cinder(&["backup-create", nobody])
                .refused("No volume with a name or ID")
        },
        &|| {
            let of_nothing = ["backup-create", "small", "--snapshot-id", nobody];
            ada.cinder(&of_nothing).refused("HTTP 404");
        },
        &|| {
            ada.cinder(&["backup-restore", "broken"])
                .refused("it must be available. (HTTP 400)")
        },
        &|| {
            ada.cinder(&["backup-create", "small", "--incremental"])
                .refused("HTTP 400")
        },
        &|| {
            // Two GiB do not fit into one.
            let restore = ada.cinder(&["backup-restore", "whole", "--volume", "small"]);
            restore.refused("HTTP 400");
        },
        &|| {
            ada.cinder(&["create", "--backup-id", &broken])
                .refused("HTTP 400")
        },
        &|| {
            ada.cinder(&["create", "1", "--backup-id", &backup])
                .refused("HTTP 400")
        },
        &|| ada.cinder(&["create", "0"]).refused("HTTP 400"),
        &|| {
            ada.cinder(&["backup-list", "--marker", nobody])
                .refused("HTTP 404")
        },
        &|| {
            let _ = rest.get("/v3/backups?sort=nonsense:asc").expect(400);
        },
        &|| {
            ada.cinder(&["backup-list", "--filters", "nonsense=1"])
                .refused("HTTP 400")
        },
    ]);
    // Nothing of what was refused is left behind.
    assert_eq!(
        rest.get("/v3/backups?with_count=true").expect(200).json()["count"],
        2
    );
    assert_eq!(
        rest.get("/v3/volumes?with_count=true").expect(200).json()["count"],
        2
    );
    scene.wait("volumes", &volume, "available");
    scene.wait("volumes", &small, "available");
    scene.wait("backups", &backup, "available");
}

#[test]
fn another_project_sees_nothing_and_each_role_may_what_is_its_own() {
    let Some(scene) = Scene::begin("") else { return };
    let rest = scene.cinder.rest("ada", "p");
    let volume = scene.cinder.volume(&rest, "disk", 1);
    let backup = scene.cinder.backup(&rest, &volume, "mine");
    let (ada, bob, admin) = (
        scene.ada(),
        scene.caller("bob", "q"),
        scene.caller("admin", "other"),
    );
    let reader = scene.caller("reader", "p");
    abreast(&[
        // Another project.
        &|| assert_eq!(bob.cinder(&["backup-list"]).fine().rows().len(), 0),
        &|| {
            assert_eq!(
                bob.cinder(&["backup-list", "--all-tenants"]).fine().rows().len(),
                0
            )
        },
        &|| bob.cinder(&["backup-show", &backup]).refused("No volumebackup"),
        &|| bob.cinder(&["backup-delete", &backup]).refused("No volumebackup"),
        &|| {
            bob.cinder(&["backup-restore", &backup])
                .refused("No volumebackup")
        },
        &|| bob.cinder(&["backup-create", &volume]).refused("No volume"),
        // A reader looks.
        &|| {
            assert_eq!(
                reader.cinder(&["backup-list"]).fine().column("ID"),
                [backup.as_str()]
            )
        },
        &|| assert_eq!(reader.cinder(&["backup-show", "mine"]).fine().value("id"), backup),
        &|| reader.cinder(&["backup-create", "disk"]).refused("HTTP 403"),
        &|| reader.cinder(&["backup-delete", "mine"]).refused("HTTP 403"),
        &|| reader.cinder(&["backup-restore", "mine"]).refused("HTTP 403"),
        &|| {
            reader
                .cinder(&["backup-update", "mine", "--name", "x"])
                .refused("HTTP 403")
        },
        &|| reader.cinder(&["create", "1"]).refused("HTTP 403"),
        &|| reader.cinder(&["delete", "disk"]).refused("HTTP 403"),
        &|| reader.cinder(&["snapshot-create", "disk"]).refused("HTTP 403"),
        // A member does not what is an admin's.
        &|| {
            ada.cinder(&["reset-state", "--state", "error", "disk"])
                .refused("HTTP 403")
        },
        &|| ada.cinder(&["service-list"]).refused("HTTP 403"),
        // An admin sees all, when asking for it.
        &|| assert_eq!(admin.cinder(&["backup-list"]).fine().rows().len(), 0),
        &|| {
            let all = admin.cinder(&["backup-list", "--all-tenants"]).fine();
            assert_eq!(all.column("ID"), [backup.as_str()]);
        },
        &|| {
            let shown = admin.cinder(&["backup-show", &backup]).fine();
            assert_eq!(shown.value("os-backup-project-attr:project_id"), "p");
            assert_eq!(shown.value("user_id"), "ada");
        },
    ]);
    scene.wait("backups", &backup, "available");
    scene.wait("volumes", &volume, "available");
}
