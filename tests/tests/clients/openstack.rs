//! The same days with `openstack`, the client of all of OpenStack.

use serde_json::json;

use crate::{Scene, abreast};

#[test]
fn openstack_does_with_volumes_and_backups_what_people_do() {
    let Some(scene) = Scene::begin("") else { return };
    let (ada, admin) = (scene.ada(), scene.admin());
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let made = ada.openstack_json(&["volume", "create", "--size", "1", "--property", "k=v", "disk"]);
    let volume = text(&made["id"]);
    scene.wait("volumes", &volume, "available");
    scene.cinder.fill(&volume, 1, 3 << 20);
    let full = ada.openstack_json(&[
        "volume",
        "backup",
        "create",
        "--name",
        "full",
        "--description",
        "first",
        "--property",
        "a=b",
        "disk",
    ]);
    let full = text(&full["id"]);
    scene.wait("backups", &full, "available");
    let first = scene.cinder.content(&volume);
    let snapshot = ada.openstack_json(&["volume", "snapshot", "create", "--volume", "disk", "then"]);
    let snapshot = text(&snapshot["id"]);
    scene.wait("snapshots", &snapshot, "available");
    scene.cinder.fill(&volume, 2, 1 << 20);
    let second = ada.openstack_json(&[
        "volume",
        "backup",
        "create",
        "--name",
        "second",
        "--incremental",
        "disk",
    ]);
    let second = text(&second["id"]);
    scene.wait("backups", &second, "available");
    let now = scene.cinder.content(&volume);
    assert_eq!(scene.stored(&second)["parent_id"], full.as_str());

    abreast(&[
        &|| {
            let list = ada.openstack_json(&["volume", "backup", "list", "--long", "--volume", "disk"]);
            let mut names: Vec<_> = list
                .as_array()
                .expect("a list")
                .iter()
                .map(|row| text(&row["Name"]))
                .collect();
            names.sort();
            assert_eq!(names, ["full", "second"]);
        },
        &|| {
            let list = ada.openstack_json(&["volume", "backup", "list", "--name", "full"]);
            assert_eq!(list[0]["ID"], full.as_str());
            assert_eq!(list.as_array().map(Vec::len), Some(1));
        },
        &|| {
            let list = ada.openstack_json(&["volume", "backup", "list", "--limit", "1"]);
            let marker = text(&list[0]["ID"]);
            let next = ada.openstack_json(&["volume", "backup", "list", "--limit", "1", "--marker", &marker]);
            assert_ne!(next[0]["ID"], list[0]["ID"]);
        },
        &|| {
            let shown = ada.openstack_json(&["volume", "backup", "show", "full"]);
            assert_eq!(
                (&shown["id"], &shown["description"]),
                (&json!(full), &json!("first"))
            );
            assert_eq!(shown["status"], "available");
        },
        &|| {
            let list = admin.openstack_json(&["volume", "service", "list"]);
            assert_eq!(list.as_array().map(Vec::len), Some(2));
            assert!(
                list.as_array()
                    .is_some_and(|rows| rows.iter().all(|row| row["State"] == "up"))
            );
        },
        &|| {
            let list = ada.openstack_json(&["volume", "list"]);
            assert_eq!(list[0]["Name"], "disk");
        },
        &|| {
            let shown = ada.openstack_json(&["volume", "snapshot", "show", "then"]);
            assert_eq!(shown["volume_id"], volume.as_str());
        },
        &|| {
            let list = ada.openstack_json(&["volume", "type", "list"]);
            assert_eq!(list.as_array().map(Vec::len), Some(1));
        },
    ]);

    let target = scene.cinder.volume(&scene.cinder.rest("ada", "p"), "target", 1);
    let content = |id: &str| scene.cinder.content(id);
    abreast(&[
        &|| {
            let said = ada.openstack_json(&["volume", "backup", "restore", "full", "whole"]);
            let id = text(&said["volume_id"]);
            scene.wait("volumes", &id, "available");
            assert!(
                content(&id) == first,
                "a full backup restores to what the volume was"
            );
        },
        &|| {
            let _ = ada.openstack_json(&["volume", "backup", "restore", "--force", "second", "target"]);
            scene.wait("volumes", &target, "available");
            assert!(
                content(&target) == now,
                "an incremental backup restores to what the volume was"
            );
        },
        &|| {
            let made = ada.openstack_json(&["volume", "create", "--snapshot", "then", "of-then"]);
            let id = text(&made["id"]);
            scene.wait("volumes", &id, "available");
            assert!(content(&id) == first, "a volume of a snapshot is the snapshot");
        },
    ]);
    scene.wait("backups", &full, "available");
    scene.wait("backups", &second, "available");
    abreast(&[
        &|| {
            let made = ada.openstack_json(&["volume", "create", "--backup", &second, "of-backup"]);
            let id = text(&made["id"]);
            scene.wait("volumes", &id, "available");
            assert!(content(&id) == now, "a volume of a backup is what the volume was");
        },
        &|| {
            let set = [
                "volume",
                "backup",
                "set",
                "--name",
                "renamed",
                "--property",
                "c=d",
                &second,
            ];
            let _ = ada.openstack(&set).fine();
            let shown = ada.openstack_json(&["volume", "backup", "show", "renamed"]);
            assert_eq!(shown["id"], second.as_str());
        },
        &|| {
            let record = admin.openstack_json(&["volume", "backup", "record", "export", "full"]);
            let service = text(&record["backup_service"]);
            assert!(service.starts_with("cinder.backup.drivers.posix"), "{service}");
            let url = text(&record["backup_url"]);
            // Openstacksdk 4.22 sends an import to `export_record`, where Cinder has nothing either.
            let again = admin.openstack(&["volume", "backup", "record", "import", &service, &url]);
            again.refused("405");
        },
    ]);
    scene.wait("backups", &second, "available");
    let _ = admin
        .openstack(&["volume", "backup", "set", "--state", "error", "full"])
        .fine();
    assert_eq!(scene.stored(&full)["status"], "error");
    let _ = admin
        .openstack(&["volume", "backup", "set", "--state", "available", "full"])
        .fine();

    let _ = ada.openstack(&["volume", "backup", "delete", &second]).fine();
    scene.wait_gone("backups", &second);
    let _ = admin
        .openstack(&["volume", "backup", "delete", "--force", "full"])
        .fine();
    scene.wait_gone("backups", &full);
    assert_eq!((scene.objects(&full), scene.objects(&second)), (0, 0));
    let _ = ada.openstack(&["volume", "snapshot", "delete", "then"]).fine();
    scene.wait_gone("snapshots", &snapshot);
    let _ = ada.openstack(&["volume", "delete", "disk"]).fine();
    scene.wait_gone("volumes", &volume);
}
