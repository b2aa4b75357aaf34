//! What an operator does with records: carry them elsewhere, set a status right, delete by force.

use crate::{Scene, abreast};

#[test]
fn an_operator_exports_imports_resets_and_deletes_by_force() {
    let Some(scene) = Scene::begin("") else { return };
    let (admin, ada) = (scene.admin(), scene.ada());
    let rest = scene.cinder.rest("ada", "p");
    let volume = scene.cinder.volume(&rest, "disk", 1);
    scene.cinder.fill(&volume, 1, 2 << 20);
    let kept = scene.cinder.backup(&rest, &volume, "kept");
    let content = scene.cinder.content(&volume);

    // A record that is known is not taken again.
    let record = admin.cinder(&["backup-export", &kept]).fine();
    let (service, url) = (record.value("backup_service"), record.value("backup_url"));
    assert!(service.starts_with("cinder.backup.drivers.posix"), "{service}");
    admin
        .cinder(&["backup-import", &service, &url])
        .refused("HTTP 400");
    ada.cinder(&["backup-export", &kept]).refused("HTTP 403");
    ada.cinder(&["backup-import", &service, &url]).refused("HTTP 403");
    admin
        .cinder(&["backup-import", &service, "bm9uc2Vuc2U="])
        .refused("HTTP 400");

    // Another service on the same storage, which knows nothing of it, restores it.
    let Some(mut other) = Scene::begin("") else { return };
    other.cinder.kill();
    for backend in ["one", "two"] {
        std::fs::remove_dir_all(other.cinder.path(backend)).expect("the folder is there");
        let copied = std::process::Command::new("cp")
            .arg("-a")
            .arg(scene.cinder.path(backend))
            .arg(other.cinder.path(backend))
            .status();
        assert!(copied.expect("cp runs").success());
    }
    other.cinder.begin_life();
    let imported = other.admin().cinder(&["backup-import", &service, &url]).fine();
    assert_eq!(
        (imported.value("id"), imported.value("name")),
        (kept.clone(), "kept".into())
    );
    other.wait("backups", &kept, "available");
    let said = other
        .admin()
        .cinder(&["backup-restore", "kept", "--name", "there"])
        .fine();
    let there = said.value("volume_id");
    other.wait("volumes", &there, "available");
    let restored = other.cinder.content(&there);
    assert!(
        restored == content,
        "what was imported restores to what the volume was"
    );

    // A status that is wrong is set right, to one of two.
    let dropped = scene.cinder.backup(&rest, &volume, "dropped");
    abreast(&[
        &|| {
            let _ = admin
                .cinder(&["backup-reset-state", "--state", "error", "kept"])
                .fine();
            assert_eq!(scene.stored(&kept)["status"], "error");
            ada.cinder(&["backup-restore", &kept]).refused("HTTP 400");
            let _ = admin
                .cinder(&["backup-reset-state", "--state", "available", "kept"])
                .fine();
            assert_eq!(scene.stored(&kept)["status"], "available");
            admin
                .cinder(&["backup-reset-state", "--state", "deleting", "kept"])
                .refused("HTTP 400");
        },
        &|| {
            ada.cinder(&["backup-reset-state", "--state", "error", &dropped])
                .refused("HTTP 403")
        },
        &|| {
            ada.cinder(&["backup-delete", "--force", &dropped])
                .refused("HTTP 403")
        },
    ]);
    let _ = admin.cinder(&["backup-delete", "--force", "dropped"]).fine();
    scene.wait_gone("backups", &dropped);
    assert_eq!(scene.objects(&dropped), 0);
    assert!(scene.objects(&kept) > 0);
}
