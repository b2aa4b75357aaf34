//! Snapshots of volumes (cinder: `cinder/api/v3/snapshots.py`, `cinder/api/schemas/snapshots.py`).

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cofferdam_manager::{NewSnapshot, SnapshotId, SnapshotRecord, SnapshotStatus, VolumeId};
use serde_json::{Value, json};

use super::backups::edit;
use super::call::Call;
use super::fault::Fault;
use super::fields::{Document, Fields, uuid};
use super::list::{Listable, listing, next};
use super::views;
use crate::auth::Role;

pub(super) const LIST: Listable = Listable {
    collection: "snapshots",
    filters: &[
        "name",
        "status",
        "volume_id",
        "metadata",
        "created_at",
        "updated_at",
    ],
    sorts_by_name: 30,
    finds_metadata: 22,
};

type Answer = Result<Json<Value>, Fault>;

pub(super) fn id(text: &str) -> Result<SnapshotId, Fault> {
    uuid(text)
        .map(SnapshotId)
        .ok_or_else(|| Fault::absent("Snapshot", text))
}

/// `GET /snapshots`.
pub(crate) async fn list(call: Call) -> Answer {
    page(call, "snapshots", false).await
}

/// `GET /snapshots/detail`.
pub(crate) async fn detail(call: Call) -> Answer {
    page(call, "snapshots/detail", true).await
}

async fn page(call: Call, path: &str, detail: bool) -> Answer {
    call.need(Role::Reader, "volume:get_all_snapshots")?;
    let wanted = listing(&call, &LIST)?;
    let records = call.manager().snapshots(&wanted.query).await?;
    let count = match wanted.with_count {
        true => Some(call.manager().count_snapshots(&wanted.query).await?),
        false => None,
    };
    let last = records.last().map(|record| record.id.to_string());
    let next = next(&call, path, &wanted.query, records.len(), last);
    let view = |record: &SnapshotRecord| views::snapshot(&call, record, detail);
    Ok(Json(views::page(
        LIST.collection,
        records.iter().map(view).collect(),
        next,
        count,
    )))
}

/// `GET /snapshots/{id}`.
pub(crate) async fn show(call: Call, Path(text): Path<String>) -> Answer {
    call.need(Role::Reader, "volume:get_snapshot")?;
    let record = call.manager().snapshot(&call.caller(), id(&text)?).await?;
    Ok(Json(json!({ "snapshot": views::snapshot(&call, &record, true) })))
}

/// `POST /snapshots`.
pub(crate) async fn create(call: Call, body: Document) -> Result<(StatusCode, Json<Value>), Fault> {
    call.need(Role::Member, "volume:create_snapshot")?;
    let fields = body.fields("snapshot")?.only(&[
        "volume_id",
        "name",
        "description",
        "display_name",
        "display_description",
        "force",
        "metadata",
    ])?;
    let force = fields.maybe_boolean("force")?;
    if call.version.has(66) && force == Some(false) {
        // From then on a snapshot of a volume in use needs no force, and `false` means nothing (cinder: spec
        // "snapshot attached volumes without force").
        return Err(Fault::bad_request(
            "Invalid force option for snapshot create: since microversion 3.66 only true is accepted, or nothing.",
        ));
    }
    let name = fields.name("name")?;
    let description = fields.name("description")?;
    let new = NewSnapshot {
        volume: VolumeId(fields.needed_uuid("volume_id")?),
        name: match name {
            None => fields.name("display_name")?,
            name => name,
        },
        description: match description {
            None => fields.name("display_description")?,
            description => description,
        },
        metadata: fields.metadata("metadata")?.unwrap_or_default(),
        force: force.unwrap_or(call.version.has(66)),
    };
    let record = call.manager().create_snapshot(&call.caller(), new).await?;
    let view = views::snapshot(&call, &record, true);
    Ok((StatusCode::ACCEPTED, Json(json!({ "snapshot": view }))))
}

/// `PUT /snapshots/{id}`.
pub(crate) async fn update(call: Call, Path(text): Path<String>, body: Document) -> Answer {
    call.need(Role::Member, "volume:update_snapshot")?;
    let fields = body.fields("snapshot")?.only(&["name", "description"])?;
    if fields.is_empty() {
        return Err(Fault::bad_request(
            "Missing required element 'name' or 'description' in snapshot.",
        ));
    }
    let edit = edit(&fields)?;
    let record = call
        .manager()
        .edit_snapshot(&call.caller(), id(&text)?, edit)
        .await?;
    Ok(Json(json!({ "snapshot": views::snapshot(&call, &record, true) })))
}

/// `DELETE /snapshots/{id}`.
pub(crate) async fn delete(call: Call, Path(text): Path<String>) -> Result<StatusCode, Fault> {
    call.need(Role::Member, "volume:delete_snapshot")?;
    call.manager()
        .delete_snapshot(&call.caller(), id(&text)?, false)
        .await?;
    Ok(StatusCode::ACCEPTED)
}

/// `POST /snapshots/{id}/action`.
pub(crate) async fn action(call: Call, Path(text): Path<String>, body: Document) -> Result<Response, Fault> {
    let (action, argument) = body.action()?;
    let (caller, id) = (call.caller(), id(&text)?);
    match action {
        "os-reset_status" => {
            call.need(
                Role::Admin,
                "volume_extension:snapshot_admin_actions:reset_status",
            )?;
            let fields = Fields::of(action, argument)?.only(&["status"])?;
            let word = fields.needed_text("status", 1)?;
            let status = word.to_lowercase().parse::<SnapshotStatus>().ok();
            let status = status.filter(|status| !status.is_transient()).ok_or_else(|| {
                Fault::bad_request(format!(
                    "Snapshot status: {word} is invalid, valid statuses are: ['available', 'error', 'error_deleting']."
                ))
            })?;
            call.manager().reset_snapshot(&caller, id, status).await?;
        }
        "os-force_delete" => {
            call.need(
                Role::Admin,
                "volume_extension:snapshot_admin_actions:force_delete",
            )?;
            call.manager().delete_snapshot(&caller, id, true).await?;
        }
        other => return Err(Fault::bad_request(format!("There is no such action: {other}."))),
    }
    Ok(StatusCode::ACCEPTED.into_response())
}
