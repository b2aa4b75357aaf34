//! Requests as they should be, to be spoilt.

use serde_json::{Value, json};

/// Method, path and body of one of each that takes a body.
pub(crate) fn templates(volume: &str, backup: &str) -> Vec<(&'static str, String, Value)> {
    vec![
        (
            "POST",
            "/v3/backups".into(),
            json!({"backup": {"volume_id": volume, "name": "n", "description": "d", "container": "c",
                           "incremental": false, "force": false, "snapshot_id": null, "metadata": {"k": "v"},
                           "availability_zone": "nova"}}),
        ),
        (
            "PUT",
            format!("/v3/backups/{backup}"),
            json!({"backup": {"name": "n", "description": "d", "metadata": {"k": "v"}}}),
        ),
        (
            "POST",
            format!("/v3/backups/{backup}/restore"),
            json!({"restore": {"volume_id": "00000000-0000-4000-8000-000000000000", "name": "n"}}),
        ),
        (
            "POST",
            "/v3/backups/import_record".into(),
            json!({"backup-record": {"backup_service": "cinder.backup.drivers.posix.PosixBackupDriver",
                           "backup_url": "eyJpZCI6IDF9"}}),
        ),
        (
            "POST",
            "/v3/backups/00000000-0000-4000-8000-000000000000/action".into(),
            json!({"os-reset_status": {"status": "error"}}),
        ),
        (
            "POST",
            "/v3/volumes".into(),
            json!({"volume": {"size": 1, "name": "n", "description": "d", "metadata": {"k": "v"},
                           "volume_type": "t", "availability_zone": "nova", "snapshot_id": null,
                           "source_volid": null, "backup_id": "00000000-0000-4000-8000-000000000000"}}),
        ),
        (
            "PUT",
            format!("/v3/volumes/{volume}"),
            json!({"volume": {"name": "n", "description": "d", "metadata": {"k": "v"}}}),
        ),
        (
            "POST",
            format!("/v3/volumes/{volume}/action"),
            json!({"os-extend": {"new_size": 0}}),
        ),
        (
            "POST",
            format!("/v3/volumes/{volume}/metadata"),
            json!({"metadata": {"k": "v"}}),
        ),
        (
            "POST",
            "/v3/snapshots".into(),
            json!({"snapshot": {"volume_id": "00000000-0000-4000-8000-000000000000", "name": "n",
                           "description": "d", "metadata": {"k": "v"}}}),
        ),
        (
            "PUT",
            "/v3/os-services/disable-log-reason".into(),
            json!({"host": "nohost", "binary": "cinder-backup", "disabled_reason": "r"}),
        ),
        (
            "PUT",
            "/v3/os-quota-sets/another".into(),
            json!({"quota_set": {"backups": 1, "backup_gigabytes": 1, "volumes": -1}}),
        ),
    ]
}

/// What is read.
pub(crate) fn paths(volume: &str, backup: &str) -> Vec<String> {
    [
        "/",
        "/v3/",
        "/v3/backups",
        "/v3/backups/detail",
        "/v3/volumes/detail",
        "/v3/snapshots",
        "/v3/messages",
        "/v3/limits",
        "/v3/types",
        "/v3/os-services",
        "/v3/os-availability-zone",
        "/v3/extensions",
        "/v3/os-quota-sets/p",
        "/v3/p/backups/detail",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([format!("/v3/backups/{backup}"), format!("/v3/volumes/{volume}")])
    .collect()
}
