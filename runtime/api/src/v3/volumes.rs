//! Volumes: the part of Cinder's API that clients of backups need (cinder: `cinder/api/v3/volumes.py`, `cinder/api/contrib/
//! volume_actions.py`, `cinder/api/schemas/volumes.py`).

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cofferdam_manager::{
    BackupId, Edit, MAX_GIB, NewVolume, SnapshotId, VOLUME_TYPE, VolumeId, VolumeOrigin, VolumeQuery,
    VolumeRecord, VolumeStatus,
};
use serde_json::{Value, json};

use super::backups::edit;
use super::call::Call;
use super::documents::volume_type;
use super::fault::Fault;
use super::fields::{Document, Fields, uuid, word};
use super::list::{Listable, listing, next};
use super::views;
use crate::auth::Role;

pub(super) const LIST: Listable = Listable {
    collection: "volumes",
    filters: &[
        "name",
        "status",
        "metadata",
        "bootable",
        "availability_zone",
        "size",
        "created_at",
        "updated_at",
    ],
    sorts_by_name: 0,
    finds_metadata: 0,
};

/// Properties of a create that are understood, or mean nothing here.
const PROPERTIES: &[&str] = &[
    "size",
    "name",
    "description",
    "metadata",
    "volume_type",
    "availability_zone",
    "snapshot_id",
    "source_volid",
    "backup_id",
    "display_name",
    "display_description",
    "imageRef",
    "consistencygroup_id",
    "group_id",
    "multiattach",
    "image_id",
];

/// What clients once sent besides; from 3.53 on it is refused.
const OLD_PROPERTIES: &[&str] = &[
    "scheduler_hints",
    "status",
    "attach_status",
    "user_id",
    "project_id",
    "source_replica",
];

type Answer = Result<Json<Value>, Fault>;
type Accepted = Result<(StatusCode, Json<Value>), Fault>;

pub(super) fn id(text: &str) -> Result<VolumeId, Fault> {
    uuid(text)
        .map(VolumeId)
        .ok_or_else(|| Fault::absent("Volume", text))
}

fn summary(call: &Call, record: &VolumeRecord) -> Value {
    views::summary(
        call,
        "volumes",
        record.id,
        Some(record.name.as_deref().unwrap_or_default()),
    )
}

/// `GET /volumes`.
pub(crate) async fn list(call: Call) -> Answer {
    page(call, "volumes", summary).await
}

/// `GET /volumes/detail`.
pub(crate) async fn detail(call: Call) -> Answer {
    page(call, "volumes/detail", views::volume).await
}

async fn page(call: Call, path: &str, view: fn(&Call, &VolumeRecord) -> Value) -> Answer {
    call.need(Role::Reader, "volume:get_all")?;
    let wanted = listing(&call, &LIST)?;
    let records = call.manager().volumes(&wanted.query).await?;
    let count = match wanted.with_count {
        true => Some(call.manager().count_volumes(&wanted.query).await?),
        false => None,
    };
    let last = records.last().map(|record| record.id.to_string());
    let next = next(&call, path, &wanted.query, records.len(), last);
    let items = records.iter().map(|record| view(&call, record)).collect();
    Ok(Json(views::page(LIST.collection, items, next, count)))
}

/// `GET /volumes/summary`: how many, and their size.
pub(crate) async fn totals(call: Call) -> Answer {
    call.since(12)?;
    call.need(Role::Reader, "volume:get_all")?;
    let all = call.asked("all_tenants").and_then(word).unwrap_or(false) && call.is_admin();
    let query = VolumeQuery {
        project: (!all).then(|| call.identity.project_id.clone()),
        limit: u32::MAX,
        ..VolumeQuery::default()
    };
    let volumes = call.manager().volumes(&query).await?;
    let size: u64 = volumes.iter().map(|volume| volume.size_gib).sum();
    let mut summary = json!({ "total_size": size, "total_count": volumes.len() });
    if call.version.has(36)
        && let Some(map) = summary.as_object_mut()
    {
        let mut metadata = std::collections::BTreeMap::<&str, std::collections::BTreeSet<&str>>::new();
        for (key, value) in volumes.iter().flat_map(|volume| &volume.metadata) {
            metadata.entry(key).or_default().insert(value);
        }
        map.insert("metadata".into(), json!(metadata));
    }
    Ok(Json(json!({ "volume-summary": summary })))
}

/// `GET /volumes/{id}`.
pub(crate) async fn show(call: Call, Path(text): Path<String>) -> Answer {
    call.need(Role::Reader, "volume:get")?;
    let record = call.manager().volume(&call.caller(), id(&text)?).await?;
    Ok(Json(json!({ "volume": views::volume(&call, &record) })))
}

/// `POST /volumes`.
pub(crate) async fn create(call: Call, body: Document) -> Accepted {
    call.need(Role::Member, "volume:create")?;
    let whole = body.whole()?.only(&["volume", "OS-SCH-HNT:scheduler_hints"])?;
    whole.required("volume")?;
    let fields = Fields::of("volume", whole.get("volume").unwrap_or(&Value::Null))?
        .without("backup_id", call.version.has(47))?
        .without("group_id", call.version.has(13))?
        .only(&match call.version.has(53) {
            true => PROPERTIES.to_vec(),
            false => [PROPERTIES, OLD_PROPERTIES].concat(),
        })?;
    for name in [
        "imageRef",
        "image_id",
        "group_id",
        "consistencygroup_id",
        "source_replica",
    ] {
        if fields.get(name).is_some_and(|value| !value.is_null()) {
            return Err(Fault::bad_request(format!("{name} is not served here.")));
        }
    }
    if fields.maybe_boolean("multiattach").unwrap_or(Some(true)) == Some(true) {
        return Err(Fault::bad_request("multiattach is not served here."));
    }
    if let Some(wanted) = fields.name("volume_type")?
        && wanted != VOLUME_TYPE
        && wanted != volume_type().0
    {
        return Err(Fault::not_found(format!(
            "Volume type with name {wanted} could not be found."
        )));
    }
    let origins = [
        fields
            .uuid("backup_id")?
            .map(|id| VolumeOrigin::Backup(BackupId(id))),
        fields
            .uuid("snapshot_id")?
            .map(|id| VolumeOrigin::Snapshot(SnapshotId(id))),
        fields
            .uuid("source_volid")?
            .map(|id| VolumeOrigin::Volume(VolumeId(id))),
    ];
    let mut origins = origins.into_iter().flatten();
    let (origin, other) = (origins.next(), origins.next());
    if other.is_some() {
        return Err(Fault::bad_request(
            "Only one of backup_id, snapshot_id and source_volid can be what a volume is made from.",
        ));
    }
    let size = fields.integer("size", 1, i64::try_from(MAX_GIB).unwrap_or(i64::MAX))?;
    if size.is_none() && origin.is_none() {
        return Err(Fault::bad_request(
            "Invalid input for field/attribute size: a size is required.",
        ));
    }
    let either = |name: &str, old: &str| match fields.name(name)? {
        Some(text) => Ok(Some(text)),
        None => fields.name(old),
    };
    let new = NewVolume {
        name: either("name", "display_name")?,
        description: either("description", "display_description")?,
        size_gib: size.map(i64::unsigned_abs),
        origin: origin.unwrap_or(VolumeOrigin::Empty),
        metadata: fields.metadata("metadata")?.unwrap_or_default(),
        availability_zone: fields.name("availability_zone")?,
    };
    let record = call.manager().create_volume(&call.caller(), new).await?;
    Ok((
        StatusCode::ACCEPTED,
        Json(json!({ "volume": views::volume(&call, &record) })),
    ))
}

/// `PUT /volumes/{id}`.
pub(crate) async fn update(call: Call, Path(text): Path<String>, body: Document) -> Answer {
    call.need(Role::Member, "volume:update")?;
    let fields = body.fields("volume")?.only(&[
        "name",
        "description",
        "display_name",
        "display_description",
        "metadata",
    ])?;
    if fields.is_empty() && call.version.has(53) {
        return Err(Fault::bad_request(
            "Missing required element: the volume names nothing that is to be changed.",
        ));
    }
    let mut edit = edit(&fields)?;
    for (name, into) in [
        ("display_name", &mut edit.name),
        ("display_description", &mut edit.description),
    ] {
        if fields.has(name) && into.is_none() {
            *into = Some(fields.text(name)?);
        }
    }
    let record = call
        .manager()
        .edit_volume(&call.caller(), id(&text)?, edit)
        .await?;
    Ok(Json(json!({ "volume": views::volume(&call, &record) })))
}

/// `DELETE /volumes/{id}`.
pub(crate) async fn delete(call: Call, Path(text): Path<String>) -> Result<StatusCode, Fault> {
    call.need(Role::Member, "volume:delete")?;
    let force = call.asked("force").and_then(word).unwrap_or(false);
    if force {
        call.need(Role::Admin, "volume:force_delete")?;
    }
    call.manager()
        .delete_volume(&call.caller(), id(&text)?, force)
        .await?;
    Ok(StatusCode::ACCEPTED)
}

/// `POST /volumes/{id}/action`.
pub(crate) async fn action(call: Call, Path(text): Path<String>, body: Document) -> Result<Response, Fault> {
    let (action, argument) = body.action()?;
    let (caller, id, manager) = (call.caller(), id(&text)?, call.manager());
    match action {
        "os-extend" => {
            call.need(Role::Member, "volume:extend")?;
            let fields = Fields::of(action, argument)?.only(&["new_size"])?;
            fields.required("new_size")?;
            let size = fields.integer("new_size", 1, i64::try_from(MAX_GIB).unwrap_or(i64::MAX))?;
            let size = size.map(i64::unsigned_abs).unwrap_or_default();
            manager.extend_volume(&caller, id, size).await?;
            Ok(StatusCode::ACCEPTED.into_response())
        }
        "os-reset_status" => {
            call.need(Role::Admin, "volume_extension:volume_admin_actions:reset_status")?;
            let fields =
                Fields::of(action, argument)?.only(&["status", "attach_status", "migration_status"])?;
            if let Some(status) = fields.name("status")? {
                manager.reset_volume(&caller, id, resettable(&status)?).await?;
            } else {
                manager.volume(&caller, id).await?;
            }
            Ok(StatusCode::ACCEPTED.into_response())
        }
        "os-force_delete" => {
            call.need(Role::Admin, "volume_extension:volume_admin_actions:force_delete")?;
            manager.delete_volume(&caller, id, true).await?;
            Ok(StatusCode::ACCEPTED.into_response())
        }
        "os-set_bootable" => {
            call.need(Role::Member, "volume_extension:volume_actions:set_bootable")?;
            let fields = Fields::of(action, argument)?.only(&["bootable"])?;
            fields.required("bootable")?;
            let edit = Edit {
                bootable: fields.maybe_boolean("bootable")?,
                ..Edit::default()
            };
            manager.edit_volume(&caller, id, edit).await?;
            Ok(StatusCode::OK.into_response())
        }
        "os-update_readonly_flag" => {
            call.need(Role::Member, "volume:update_readonly_flag")?;
            let fields = Fields::of(action, argument)?.only(&["readonly"])?;
            fields.required("readonly")?;
            let edit = Edit {
                read_only: fields.maybe_boolean("readonly")?,
                ..Edit::default()
            };
            manager.edit_volume(&caller, id, edit).await?;
            Ok(StatusCode::ACCEPTED.into_response())
        }
        // For an extension that waits for somebody else's word. None of ours does, so there is never one to conclude.
        "os-extend_volume_completion" if call.version.has(71) => {
            call.need(Role::Admin, "volume:extend_volume_complete")?;
            let fields = Fields::of(action, argument)?.only(&["error"])?;
            fields.maybe_boolean("error")?;
            let record = manager.volume(&caller, id).await?;
            Err(Fault::bad_request(format!(
                "Invalid volume: Volume {id} status must be 'extending' to be told how its extension ended, and it must wait for \
                 that; it is '{}'.",
                record.status
            )))
        }
        other => Err(Fault::bad_request(format!("There is no such action: {other}."))),
    }
}

/// A status that an administrator may set.
fn resettable(word: &str) -> Result<VolumeStatus, Fault> {
    let status = word.to_lowercase().parse::<VolumeStatus>().ok();
    status.filter(|status| !status.is_transient()).ok_or_else(|| {
        let all = VolumeStatus::ALL.iter().filter(|status| !status.is_transient());
        let all: Vec<_> = all.map(|status| format!("'{status}'")).collect();
        Fault::bad_request(format!(
            "Volume status: {word} is invalid, valid statuses are: [{}].",
            all.join(", ")
        ))
    })
}
