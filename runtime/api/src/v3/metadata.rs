//! Metadata of volumes and snapshots as a resource of its own (cinder: `cinder/api/v3/volume_metadata.py`, `cinder/api/v3/
//! snapshot_metadata.py`): read, add, replace, and take away key by key.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use cofferdam_manager::{Edit, MetadataChange};
use serde_json::{Value, json};

use super::call::Call;
use super::fault::Fault;
use super::fields::Document;
use super::{snapshots, volumes};
use crate::auth::Role;

type Answer = Result<Json<Value>, Fault>;
type Map = BTreeMap<String, String>;

/// Which kind of resource a path is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Volumes,
    Snapshots,
}

fn of(collection: &str) -> Result<Of, Fault> {
    match collection {
        "volumes" => Ok(Of::Volumes),
        "snapshots" => Ok(Of::Snapshots),
        _ => Err(Fault::not_found("The resource could not be found.")),
    }
}

async fn present(call: &Call, of: Of, id: &str) -> Result<Map, Fault> {
    let caller = call.caller();
    Ok(match of {
        Of::Volumes => call.manager().volume(&caller, volumes::id(id)?).await?.metadata,
        Of::Snapshots => {
            call.manager()
                .snapshot(&caller, snapshots::id(id)?)
                .await?
                .metadata
        }
    })
}

async fn set(call: &Call, of: Of, id: &str, change: MetadataChange) -> Result<Map, Fault> {
    let (caller, edit) = (
        call.caller(),
        Edit {
            metadata: Some(change),
            ..Edit::default()
        },
    );
    Ok(match of {
        Of::Volumes => {
            call.manager()
                .edit_volume(&caller, volumes::id(id)?, edit)
                .await?
                .metadata
        }
        Of::Snapshots => {
            call.manager()
                .edit_snapshot(&caller, snapshots::id(id)?, edit)
                .await?
                .metadata
        }
    })
}

/// `GET …/metadata`.
pub(crate) async fn all(call: Call, Path((collection, id)): Path<(String, String)>) -> Answer {
    call.need(Role::Reader, "volume:get_volume_metadata")?;
    Ok(Json(
        json!({ "metadata": present(&call, of(&collection)?, &id).await? }),
    ))
}

fn given(body: &Document) -> Result<Map, Fault> {
    let fields = body.whole()?.only(&["metadata"])?;
    fields.required("metadata")?;
    let given = fields.metadata("metadata")?;
    given.ok_or_else(|| Fault::bad_request("Invalid input for field/attribute metadata: it is null."))
}

/// `POST …/metadata`: adds.
pub(crate) async fn add(
    call: Call,
    Path((collection, id)): Path<(String, String)>,
    body: Document,
) -> Answer {
    call.need(Role::Member, "volume:create_volume_metadata")?;
    let of = of(&collection)?;
    let added = MetadataChange::Add(given(&body)?);
    Ok(Json(json!({ "metadata": set(&call, of, &id, added).await? })))
}

/// `PUT …/metadata`: replaces all.
pub(crate) async fn replace(
    call: Call,
    Path((collection, id)): Path<(String, String)>,
    body: Document,
) -> Answer {
    call.need(Role::Member, "volume:update_volume_metadata")?;
    let all = MetadataChange::Replace(given(&body)?);
    Ok(Json(
        json!({ "metadata": set(&call, of(&collection)?, &id, all).await? }),
    ))
}

/// `GET …/metadata/{key}`.
pub(crate) async fn one(call: Call, Path((collection, id, key)): Path<(String, String, String)>) -> Answer {
    call.need(Role::Reader, "volume:get_volume_metadata")?;
    let metadata = present(&call, of(&collection)?, &id).await?;
    let value = metadata
        .get(&key)
        .ok_or_else(|| Fault::not_found(format!("Metadata item {key} was not found.")))?;
    Ok(Json(json!({ "meta": { key: value } })))
}

/// `PUT …/metadata/{key}`.
pub(crate) async fn put_one(
    call: Call,
    Path((collection, id, key)): Path<(String, String, String)>,
    body: Document,
) -> Answer {
    call.need(Role::Member, "volume:update_volume_metadata")?;
    let of = of(&collection)?;
    let fields = body.whole()?.only(&["meta"])?;
    fields.required("meta")?;
    let meta = fields.metadata("meta")?.unwrap_or_default();
    if meta.len() != 1 || !meta.contains_key(&key) {
        return Err(Fault::bad_request("Request body and URI mismatch."));
    }
    set(&call, of, &id, MetadataChange::Add(meta.clone())).await?;
    Ok(Json(json!({ "meta": meta })))
}

/// `DELETE …/metadata/{key}`.
pub(crate) async fn delete_one(
    call: Call,
    Path((collection, id, key)): Path<(String, String, String)>,
) -> Result<StatusCode, Fault> {
    call.need(Role::Member, "volume:delete_volume_metadata")?;
    let of = of(&collection)?;
    if !present(&call, of, &id).await?.contains_key(&key) {
        return Err(Fault::not_found(format!("Metadata item {key} was not found.")));
    }
    set(&call, of, &id, MetadataChange::Remove(key)).await?;
    Ok(StatusCode::OK)
}
