//! Backups (cinder: `cinder/api/contrib/backups.py`, `cinder/api/v3/backups.py`, `cinder/api/schemas/backups.py`).
//!
//! Where it differs from Cinder on purpose: a create for which no backend is up is refused at once with 503 and the reasons,
//! instead of 202 and an error that nobody sees; a backup in `error_deleting` can be deleted without a reset.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cofferdam_manager::{
    BackupId, BackupRecord, BackupSource, Edit, ManagerError, MetadataChange, NewBackup, RestoreTarget,
    SnapshotId, VolumeId,
};
use serde_json::{Value, json};

use super::call::Call;
use super::fault::Fault;
use super::fields::{Document, Fields, uuid};
use super::list::{Listable, listing, next};
use super::views;
use crate::auth::Role;

pub(super) const LIST: Listable = Listable {
    collection: "backups",
    filters: &["name", "status", "volume_id"],
    sorts_by_name: 37,
    finds_metadata: 0,
};

type Answer = Result<Json<Value>, Fault>;
type Accepted = Result<(StatusCode, Json<Value>), Fault>;

pub(super) fn id(text: &str) -> Result<BackupId, Fault> {
    uuid(text)
        .map(BackupId)
        .ok_or_else(|| Fault::absent("Backup", text))
}

fn summary(call: &Call, record: &BackupRecord) -> Value {
    views::summary(call, "backups", record.id, record.name.as_deref())
}

/// `GET /backups`.
pub(crate) async fn list(call: Call) -> Answer {
    page(call, "backups", summary).await
}

/// `GET /backups/detail`.
pub(crate) async fn detail(call: Call) -> Answer {
    page(call, "backups/detail", views::backup).await
}

async fn page(call: Call, path: &str, view: fn(&Call, &BackupRecord) -> Value) -> Answer {
    call.need(Role::Reader, "backup:get_all")?;
    let wanted = listing(&call, &LIST)?;
    let records = call.manager().backups(&wanted.query).await?;
    let count = match wanted.with_count {
        true => Some(call.manager().count_backups(&wanted.query).await?),
        false => None,
    };
    let last = records.last().map(|record| record.id.to_string());
    let next = next(&call, path, &wanted.query, records.len(), last);
    let items = records.iter().map(|record| view(&call, record)).collect();
    Ok(Json(views::page(LIST.collection, items, next, count)))
}

/// `GET /backups/{id}`.
pub(crate) async fn show(call: Call, Path(text): Path<String>) -> Answer {
    call.need(Role::Reader, "backup:get")?;
    let record = call.manager().backup_of(&call.caller(), id(&text)?).await?;
    Ok(Json(json!({ "backup": views::backup(&call, &record) })))
}

/// `POST /backups`.
pub(crate) async fn create(call: Call, body: Document) -> Accepted {
    call.need(Role::Member, "backup:create")?;
    let fields = body
        .fields("backup")?
        .without("metadata", call.version.has(43))?
        .without("availability_zone", call.version.has(51))?
        .only(&[
            "volume_id",
            "container",
            "name",
            "description",
            "incremental",
            "force",
            "snapshot_id",
            "metadata",
            "availability_zone",
        ])?;
    let volume = VolumeId(fields.needed_uuid("volume_id")?);
    let source = match fields.uuid("snapshot_id")? {
        Some(snapshot) => BackupSource::Snapshot(volume, SnapshotId(snapshot)),
        None => BackupSource::Volume(volume),
    };
    let new = NewBackup {
        source,
        backend: None,
        availability_zone: fields.name("availability_zone")?,
        name: fields.name("name")?,
        description: fields.name("description")?,
        container: fields.name("container")?,
        metadata: fields.metadata("metadata")?.unwrap_or_default(),
        incremental: fields.boolean("incremental")?,
        parent: None,
        force: fields.boolean("force")?,
    };
    let (record, _) = call.manager().create(&call.caller(), new).await?;
    Ok((
        StatusCode::ACCEPTED,
        Json(json!({ "backup": summary(&call, &record) })),
    ))
}

/// `PUT /backups/{id}`.
pub(crate) async fn update(call: Call, Path(text): Path<String>, body: Document) -> Answer {
    call.since(9)?;
    call.need(Role::Member, "backup:update")?;
    let fields = body
        .fields("backup")?
        .without("metadata", call.version.has(43))?
        .only(&["name", "description", "metadata"])?;
    if fields.is_empty() {
        return Err(Fault::bad_request(
            "Missing required element 'name', 'description' or 'metadata' in backup.",
        ));
    }
    let edit = edit(&fields)?;
    let record = call
        .manager()
        .edit_backup(&call.caller(), id(&text)?, edit)
        .await?;
    Ok(Json(json!({ "backup": summary(&call, &record) })))
}

/// Name, description and metadata, as far as they are given.
pub(super) fn edit(fields: &Fields<'_>) -> Result<Edit, Fault> {
    let given = |name: &str| match fields.has(name) {
        true => fields.text(name).map(Some),
        false => Ok(None),
    };
    Ok(Edit {
        name: given("name")?,
        description: given("description")?,
        metadata: fields.metadata("metadata")?.map(MetadataChange::Replace),
        ..Edit::default()
    })
}

/// `DELETE /backups/{id}`.
pub(crate) async fn delete(call: Call, Path(text): Path<String>) -> Result<StatusCode, Fault> {
    call.need(Role::Member, "backup:delete")?;
    remove(&call, &text, false).await
}

async fn remove(call: &Call, text: &str, force: bool) -> Result<StatusCode, Fault> {
    let id = id(text)?;
    match call.manager().delete(&call.caller(), id, force).await {
        Ok(_) => Ok(StatusCode::ACCEPTED),
        Err(error) => Err(without_backend(error)),
    }
}

/// Where Cinder says 404 for want of a service (LP 1598709), the reason is told all the same.
fn without_backend(error: ManagerError) -> Fault {
    let is_down = matches!(error, ManagerError::BackendDown { .. });
    let mut fault = Fault::from(error);
    if is_down {
        fault.status = StatusCode::NOT_FOUND;
        fault.message = format!("Service cinder-backup could not be found: {}", fault.message);
    }
    fault
}

/// `POST /backups/{id}/restore`.
pub(crate) async fn restore(call: Call, Path(text): Path<String>, body: Document) -> Accepted {
    call.need(Role::Member, "backup:restore")?;
    let id = id(&text)?;
    let empty = serde_json::Map::new();
    let nothing = Value::Object(empty);
    let given = match body.only("restore")? {
        Value::Null => &nothing,
        other => other,
    };
    let fields = Fields::of("restore", given)?.only(&["volume_id", "name"])?;
    let name = fields.name("name")?;
    let target = match fields.uuid("volume_id")? {
        Some(volume) => RestoreTarget::Volume(VolumeId(volume)),
        None => RestoreTarget::New(name),
    };
    let restored = call.manager().restore(&call.caller(), id, target).await;
    let (_, volume) = restored.map_err(without_backend)?;
    let volume_id = volume.as_ref().map(|volume| volume.id.to_string());
    let volume_name = volume.and_then(|volume| volume.name).unwrap_or_default();
    let answer = json!({ "backup_id": id.to_string(), "volume_id": volume_id, "volume_name": volume_name });
    Ok((StatusCode::ACCEPTED, Json(json!({ "restore": answer }))))
}

/// `GET /backups/{id}/export_record`.
pub(crate) async fn export(call: Call, Path(text): Path<String>) -> Answer {
    call.need(Role::Admin, "backup:export-import")?;
    let exported = call.manager().export(&call.caller(), id(&text)?).await?;
    let record = json!({ "backup_service": exported.service, "backup_url": exported.url });
    Ok(Json(json!({ "backup-record": record })))
}

/// `POST /backups/import_record`.
pub(crate) async fn import(call: Call, body: Document) -> Accepted {
    call.need(Role::Admin, "backup:backup-import")?;
    let fields = body
        .fields("backup-record")?
        .only(&["backup_service", "backup_url"])?;
    let service = fields.needed_text("backup_service", 1)?;
    let url = match fields.get("backup_url") {
        Some(Value::String(url)) if !url.is_empty() => url,
        _ => {
            return Err(Fault::bad_request(
                "Invalid input for field/attribute backup_url: it must be base64.",
            ));
        }
    };
    let record = call.manager().import(&call.caller(), &service, None, url).await?;
    Ok((
        StatusCode::CREATED,
        Json(json!({ "backup": summary(&call, &record) })),
    ))
}

/// `POST /backups/{id}/action`.
pub(crate) async fn action(call: Call, Path(text): Path<String>, body: Document) -> Result<Response, Fault> {
    let (action, argument) = body.action()?;
    match action {
        "os-reset_status" => {
            call.need(Role::Admin, "volume_extension:backup_admin_actions:reset_status")?;
            let fields = Fields::of("os-reset_status", argument)?.only(&["status"])?;
            let status = fields.needed_text("status", 1)?;
            let available = match status.to_lowercase().as_str() {
                "available" => true,
                "error" => false,
                _ => {
                    return Err(Fault::bad_request(format!(
                        "Backup status: {status} is invalid, valid statuses are: ['available', 'error']."
                    )));
                }
            };
            call.manager()
                .reset(&call.caller(), id(&text)?, available)
                .await?;
            Ok(StatusCode::ACCEPTED.into_response())
        }
        "os-force_delete" => {
            call.need(Role::Admin, "volume_extension:backup_admin_actions:force_delete")?;
            Ok(remove(&call, &text, true).await?.into_response())
        }
        other => Err(Fault::bad_request(format!("There is no such action: {other}."))),
    }
}
