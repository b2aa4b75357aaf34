//! Records as Cinder's clients see them, each field from the microversion on that brought it (cinder: `cinder/api/views/`,
//! `cinder/api/v3/views/`). What is ours stands beside, from the greatest microversion on.

pub(crate) use cofferdam_manager::cinder_time as time;
use cofferdam_manager::{BackupRecord, MessageRecord, SnapshotRecord, VolumeRecord};
use serde_json::{Map, Value, json};

use super::call::Call;
use super::documents::volume_type;
use super::version::MOST;

/// A short view: id, name, links.
pub(crate) fn summary(
    call: &Call,
    collection: &str,
    id: impl std::fmt::Display,
    name: Option<&str>,
) -> Value {
    let path = format!("{collection}/{id}");
    json!({ "id": id.to_string(), "name": name, "links": links(call, &path) })
}

fn links(call: &Call, path: &str) -> Value {
    json!([
        { "rel": "self", "href": call.link(path) },
        { "rel": "bookmark", "href": call.bookmark(path) }
    ])
}

/// Puts further fields into a view.
fn with(view: &mut Value, fields: &[(&str, Value)]) {
    if let Some(map) = view.as_object_mut() {
        map.extend(
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
    }
}

pub(crate) fn backup(call: &Call, record: &BackupRecord) -> Value {
    let id = record.id.to_string();
    let mut view = json!({
        "id": id,
        "status": record.status.as_str(),
        "size": record.size_gib,
        "object_count": record.object_count,
        "availability_zone": record.availability_zone,
        "container": record.container,
        "created_at": time(record.created_at),
        "updated_at": time(record.updated_at),
        "name": record.name,
        "description": record.description,
        "fail_reason": record.fail_reason,
        "volume_id": record.volume_id.to_string(),
        "links": links(call, &format!("backups/{id}")),
        "is_incremental": record.parent_id.is_some(),
        "has_dependent_backups": record.has_dependents,
        "snapshot_id": record.snapshot_id.map(|id| id.to_string()),
        "data_timestamp": time(record.data_timestamp),
    });
    if call.version.has(18) && call.is_admin() {
        with(
            &mut view,
            &[("os-backup-project-attr:project_id", json!(record.project_id))],
        );
    }
    if call.version.has(43) {
        with(&mut view, &[("metadata", json!(record.metadata))]);
    }
    if call.version.has(56) && call.is_admin() {
        with(&mut view, &[("user_id", json!(record.user_id))]);
    }
    if call.version.has(MOST) {
        let progress = call.manager().progress_percent(record.id);
        with(
            &mut view,
            &[
                ("verified_at", json!(record.verified_at.map(time))),
                ("verify_result", json!(record.verify_result)),
                ("progress", json!(progress)),
                ("backend", json!(record.backend)),
                ("scheduling", json!(record.scheduling)),
                ("fail_code", json!(record.fail_code)),
            ],
        );
    }
    view
}

pub(crate) fn volume(call: &Call, record: &VolumeRecord) -> Value {
    let id = record.id.to_string();
    let (type_id, type_name) = volume_type();
    let mut view = json!({
        "id": id,
        "status": record.status.as_str(),
        "size": record.size_gib,
        "availability_zone": record.availability_zone,
        "created_at": time(record.created_at),
        "updated_at": time(record.updated_at),
        "attachments": [],
        "name": record.name.clone().unwrap_or_default(),
        "description": record.description,
        "volume_type": type_name,
        "snapshot_id": record.snapshot_id.map(|id| id.to_string()),
        "source_volid": record.source_volume_id.map(|id| id.to_string()),
        "metadata": record.metadata,
        "links": links(call, &format!("volumes/{id}")),
        "user_id": record.user_id,
        "bootable": record.bootable.to_string(),
        "encrypted": false,
        "replication_status": Value::Null,
        "consistencygroup_id": Value::Null,
        "multiattach": false,
        "os-vol-tenant-attr:tenant_id": record.project_id,
    });
    if call.is_admin() {
        let host = call.manager().host();
        with(
            &mut view,
            &[
                ("migration_status", Value::Null),
                ("os-vol-host-attr:host", json!(host)),
                ("os-vol-mig-status-attr:migstat", Value::Null),
                ("os-vol-mig-status-attr:name_id", Value::Null),
            ],
        );
    }
    for (since, name, value) in [
        (13, "group_id", Value::Null),
        (48, "service_uuid", Value::Null),
        (63, "volume_type_id", json!(type_id)),
        (65, "consumes_quota", json!(true)),
        (MOST, "fail_reason", json!(record.fail_reason)),
    ] {
        if call.version.has(since) {
            with(&mut view, &[(name, value)]);
        }
    }
    if call.version.has(48) {
        let shared = if call.version.has(69) {
            Value::Null
        } else {
            json!(false)
        };
        with(&mut view, &[("shared_targets", shared)]);
    }
    if call.is_admin() {
        for (since, name) in [(21, "provider_id"), (61, "cluster_name")] {
            if call.version.has(since) {
                with(&mut view, &[(name, Value::Null)]);
            }
        }
    }
    view
}

pub(crate) fn snapshot(call: &Call, record: &SnapshotRecord, detail: bool) -> Value {
    let mut view = json!({
        "id": record.id.to_string(),
        "name": record.name,
        "description": record.description,
        "volume_id": record.volume_id.to_string(),
        "status": record.status.as_str(),
        "size": record.size_gib,
        "created_at": time(record.created_at),
        "updated_at": time(record.updated_at),
        "metadata": record.metadata,
    });
    if detail {
        let progress = if record.status.as_str() == "creating" {
            "0%"
        } else {
            "100%"
        };
        with(
            &mut view,
            &[
                ("os-extended-snapshot-attributes:progress", json!(progress)),
                (
                    "os-extended-snapshot-attributes:project_id",
                    json!(record.project_id),
                ),
            ],
        );
    }
    for (since, name, value) in [
        (14, "group_snapshot_id", Value::Null),
        (41, "user_id", json!(record.user_id)),
        (65, "consumes_quota", json!(true)),
    ] {
        if call.version.has(since) {
            with(&mut view, &[(name, value)]);
        }
    }
    view
}

pub(crate) fn message(call: &Call, record: &MessageRecord) -> Value {
    let id = record.id.to_string();
    json!({
        "id": id,
        "event_id": record.event_id,
        "user_message": record.user_message,
        "message_level": record.level,
        "created_at": time(record.created_at),
        "guaranteed_until": time(record.expires_at),
        "request_id": record.request_id,
        "resource_type": record.resource_type,
        "resource_uuid": record.resource_uuid.map(|id| id.to_string()),
        "links": links(call, &format!("messages/{id}")),
    })
}

/// A page of a list under its name, with the link to the next page and the count if there are such.
pub(crate) fn page(name: &str, items: Vec<Value>, next: Option<String>, count: Option<u64>) -> Value {
    let mut page = Map::new();
    page.insert(name.to_owned(), Value::Array(items));
    if let Some(next) = next {
        page.insert(format!("{name}_links"), json!([{ "rel": "next", "href": next }]));
    }
    if let Some(count) = count {
        page.insert("count".to_owned(), count.into());
    }
    Value::Object(page)
}
