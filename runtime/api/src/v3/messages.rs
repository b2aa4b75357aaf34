//! Messages to users (cinder: `cinder/api/v3/messages.py`, microversions 3.3 and 3.5): why what they asked for did not come about.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::call::Call;
use super::fault::Fault;
use super::fields::uuid;
use super::list::{Listable, listing, next};
use super::views;
use crate::auth::Role;

pub(super) const LIST: Listable = Listable {
    collection: "messages",
    filters: &[
        "resource_uuid",
        "resource_type",
        "event_id",
        "request_id",
        "message_level",
    ],
    sorts_by_name: u32::MAX,
    finds_metadata: 0,
};

fn id(text: &str) -> Result<uuid::Uuid, Fault> {
    uuid(text).ok_or_else(|| Fault::absent("Message", text))
}

/// `GET /messages`: before 3.5 all of them, whatever the query asks for.
pub(crate) async fn list(mut call: Call) -> Result<Json<Value>, Fault> {
    call.since(3)?;
    call.need(Role::Reader, "message:get_all")?;
    if !call.version.has(5) {
        call.query.clear();
    }
    let wanted = listing(&call, &LIST)?;
    let records = call.manager().messages(&wanted.query).await?;
    let last = records.last().map(|record| record.id.to_string());
    let next = next(&call, LIST.collection, &wanted.query, records.len(), last);
    let items = records
        .iter()
        .map(|record| views::message(&call, record))
        .collect();
    Ok(Json(views::page(LIST.collection, items, next, None)))
}

/// `GET /messages/{id}`.
pub(crate) async fn show(call: Call, Path(text): Path<String>) -> Result<Json<Value>, Fault> {
    call.since(3)?;
    call.need(Role::Reader, "message:get")?;
    let record = call.manager().message(&call.caller(), id(&text)?).await?;
    Ok(Json(json!({ "message": views::message(&call, &record) })))
}

/// `DELETE /messages/{id}`.
pub(crate) async fn delete(call: Call, Path(text): Path<String>) -> Result<StatusCode, Fault> {
    call.since(3)?;
    call.need(Role::Member, "message:delete")?;
    call.manager().delete_message(&call.caller(), id(&text)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
