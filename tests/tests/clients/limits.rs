//! What there is to know about a project: limits, quotas, zones, messages.

use serde_json::json;

use crate::{Scene, abreast};

#[test]
fn a_project_has_limits_which_an_operator_sets_and_a_user_meets() {
    let Some(scene) = Scene::begin("quota_backups = 3\nquota_backup_gigabytes = 5\n") else {
        return;
    };
    let (admin, ada, bob) = (scene.admin(), scene.ada(), scene.caller("bob", "q"));
    let rest = scene.cinder.rest("ada", "p");
    let volume = scene.cinder.volume(&rest, "disk", 1);
    let large = scene.cinder.volume(&rest, "large", 3);
    for name in ["a", "b", "c"] {
        scene.cinder.backup(&rest, &volume, name);
    }
    // In the number, then in the size. What a project has does not burden another.
    let full = ada.cinder(&["backup-create", "disk", "--name", "too-many"]);
    full.refused("HTTP 413");
    let refused = rest.post("/v3/backups", &json!({"backup": {"volume_id": volume}}));
    assert_eq!((refused.status, refused.header("retry-after")), (413, Some("0")));
    assert!(
        refused
            .message()
            .contains("Maximum number of backups allowed (3) exceeded"),
        "{}",
        refused.text()
    );

    let limits = |caller: &cofferdam_tests::clients::Caller| {
        let said = caller.cinder(&["absolute-limits"]).fine();
        let rows = said.rows();
        move |name: &str| {
            let row = rows.iter().find(|row| row["Name"] == name);
            row.unwrap_or_else(|| panic!("no {name} in {rows:?}"))["Value"].clone()
        }
    };
    abreast(&[
        &|| {
            let limits = limits(&ada);
            assert_eq!(
                (limits("maxTotalBackups"), limits("totalBackupsUsed")),
                ("3".into(), "3".into())
            );
            assert_eq!(
                (
                    limits("maxTotalBackupGigabytes"),
                    limits("totalBackupGigabytesUsed")
                ),
                ("5".into(), "3".into())
            );
            assert_eq!(
                (limits("totalVolumesUsed"), limits("totalGigabytesUsed")),
                ("2".into(), "4".into())
            );
        },
        &|| assert_eq!(limits(&bob)("totalBackupsUsed"), "0"),
        &|| {
            let shown = admin.cinder(&["quota-show", "p"]).fine();
            assert_eq!(
                (shown.value("backups"), shown.value("backup_gigabytes")),
                ("3".into(), "5".into())
            );
        },
        &|| {
            let usage = admin.cinder(&["quota-usage", "p"]).fine();
            let rows = usage.rows();
            let row = rows
                .iter()
                .find(|row| row["Type"] == "backups")
                .expect("a row for backups");
            assert_eq!((row["In_use"].as_str(), row["Limit"].as_str()), ("3", "3"));
        },
        &|| {
            ada.cinder(&["quota-update", "p", "--backups", "100"])
                .refused("HTTP 403")
        },
        &|| {
            let zones = ada.cinder(&["availability-zone-list"]).fine();
            assert_eq!(zones.column("Status"), ["available"]);
        },
        &|| {
            let filters = ada.cinder(&["list-filters", "--resource", "backup"]).fine();
            assert_eq!(filters.column("Resource"), ["backup"]);
            assert!(
                filters.column("Filters")[0].contains("volume_id"),
                "{}",
                filters.out
            );
        },
        &|| {
            let extensions = ada.cinder(&["list-extensions"]).fine();
            assert!(extensions.column("Alias").contains(&"backups".to_owned()));
        },
    ]);

    let _ = admin.cinder(&["quota-update", "p", "--backups", "10"]).fine();
    assert_eq!(admin.cinder(&["quota-show", "p"]).fine().value("backups"), "10");
    let too_large = ada.cinder(&["backup-create", "large", "--name", "too-large"]);
    too_large.refused("HTTP 413");
    let refused = rest.post("/v3/backups", &json!({"backup": {"volume_id": large}}));
    assert_eq!(refused.status, 413, "{}", refused.text());
    scene.cinder.backup(&rest, &volume, "d");
}

#[test]
fn a_user_is_told_by_a_message_why_a_backup_failed() {
    let Some(scene) = Scene::begin("") else { return };
    let (ada, bob) = (scene.ada(), scene.caller("bob", "q"));
    let rest = scene.cinder.rest("ada", "p");
    let volume = scene.cinder.volume(&rest, "disk", 1);
    // Where the backup should go there is a file in the way, which is found when it is stored.
    for backend in ["one", "two"] {
        std::fs::write(scene.cinder.path(backend).join("blocked"), "x").expect("the file is written");
    }
    let made = ada
        .cinder(&[
            "backup-create",
            "disk",
            "--name",
            "lost",
            "--container",
            "blocked",
        ])
        .fine();
    let backup = made.value("id");
    let failed = scene.wait("backups", &backup, "error");
    let reason = failed["fail_reason"].as_str().unwrap_or_default();
    assert!(!reason.is_empty(), "{failed:#}");
    let list = loop {
        let list = ada.cinder(&["message-list", "--resource_uuid", &backup]).fine();
        // The message comes with the status, or just after it.
        if !list.rows().is_empty() {
            break list;
        }
    };
    assert_eq!(list.column("Resource UUID"), [backup.as_str()]);
    assert!(list.column("Event ID")[0].starts_with("VOLUME_VOLUME_BACKUP_013_"));
    let id = list.column("ID")[0].clone();
    abreast(&[
        &|| {
            let shown = ada.cinder(&["message-show", &id]).fine();
            assert_eq!(shown.value("message_level"), "ERROR");
            assert_eq!(shown.value("resource_type"), "VOLUME_BACKUP");
            assert!(!shown.value("user_message").is_empty());
        },
        &|| assert_eq!(bob.cinder(&["message-list"]).fine().rows().len(), 0),
        &|| {
            bob.cinder(&["message-show", &id])
                .refused("No message with a name or ID")
        },
    ]);
    let _ = ada.cinder(&["message-delete", &id]).fine();
    assert_eq!(ada.cinder(&["message-list"]).fine().rows().len(), 0);
    // A backup that failed so early is deleted without ado, and the volume is free for another.
    for backend in ["one", "two"] {
        std::fs::remove_file(scene.cinder.path(backend).join("blocked")).expect("the file is there");
    }
    let _ = ada.cinder(&["backup-delete", "lost"]).fine();
    scene.wait_gone("backups", &backup);
    scene.cinder.backup(&rest, &volume, "another");
    // What cannot even be begun is refused at once.
    std::fs::remove_file(scene.cinder.volume_file(&volume)).expect("the file is there");
    ada.cinder(&["backup-create", "disk"]).refused("HTTP 400");
}
