//! `os-services`: the backends as clients of Cinder know services, one for each, `HOST@BACKEND` (cinder: `cinder/api/v3/
//! services.py`). Behaves as Cinder 27, where enable and disable do what they say.
//!
//! Beyond Cinder: `backend_state`, the reason, and since when.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cofferdam_manager::{ServiceStatus, Switched};
use serde_json::{Value, json};

use super::call::Call;
use super::fault::Fault;
use super::fields::{Document, Fields};
use super::views::time;
use crate::auth::Role;

/// The only binary that there is.
const BINARY: &str = "cinder-backup";

fn view(call: &Call, service: &ServiceStatus, switch: &Switched) -> Value {
    let status = &service.status;
    let last = status.heartbeat.unwrap_or(status.since);
    let mut view = json!({
        "binary": BINARY,
        "host": switch.host,
        "zone": switch.zone,
        "status": if switch.disabled { "disabled" } else { "enabled" },
        "state": status.state.to_string(),
        "updated_at": time(switch.modified_at.map_or(last, |modified| modified.max(last))),
        "disabled_reason": switch.reason,
    });
    if let Some(map) = view.as_object_mut() {
        if call.version.has(7) {
            map.insert("cluster".into(), Value::Null);
        }
        if call.version.has(49) {
            map.insert("backend_state".into(), status.state.to_string().into());
            map.insert("backend_phase".into(), status.phase.to_string().into());
            map.insert("backend_reason_code".into(), json!(status.code));
            map.insert("backend_reason".into(), json!(status.message));
            map.insert("backend_remedy".into(), json!(status.remedy));
            map.insert("backend_since".into(), time(status.since).into());
            map.insert("backend_next_try".into(), json!(status.next_try.map(time)));
        }
    }
    view
}

/// `GET /os-services`.
pub(crate) async fn list(call: Call) -> Result<Json<Value>, Fault> {
    call.need(Role::Admin, "volume_extension:services:index")?;
    let binary = call.asked("binary").or(call.asked("service"));
    let mut all = Vec::new();
    for service in call.manager().services() {
        let switch = call.manager().switched(&service.status.name);
        let host = call
            .asked("host")
            .is_none_or(|host| host == switch.host || switch.host.split('@').next() == Some(host));
        if host && binary.is_none_or(|binary| binary == BINARY) {
            all.push(view(&call, &service, &switch));
        }
    }
    Ok(Json(json!({ "services": all })))
}

/// `PUT /os-services/{action}`.
pub(crate) async fn update(
    call: Call,
    Path(action): Path<String>,
    body: Document,
) -> Result<Response, Fault> {
    call.need(Role::Admin, "volume_extension:services:update")?;
    let fields = body.whole()?;
    match action.as_str() {
        "enable" => switch(&call, &fields.only(&["host", "binary", "service"])?, false, false).await,
        "disable" => switch(&call, &fields.only(&["host", "binary", "service"])?, true, false).await,
        "disable-log-reason" => {
            let fields = fields.only(&["host", "binary", "service", "disabled_reason"])?;
            switch(&call, &fields, true, true).await
        }
        "get-log" if call.version.has(32) => Ok(Json(json!({ "log_levels": [] })).into_response()),
        "set-log" if call.version.has(32) => Ok(StatusCode::ACCEPTED.into_response()),
        _ => Err(Fault::not_found(format!("Unknown action {action}"))),
    }
}

async fn switch(
    call: &Call,
    fields: &Fields<'_>,
    disabled: bool,
    with_reason: bool,
) -> Result<Response, Fault> {
    let host = fields.needed_text("host", 1)?;
    let binary = match fields.name("binary")? {
        Some(binary) => binary,
        None => fields.name("service")?.unwrap_or_default(),
    };
    if binary.is_empty() {
        return Err(Fault::bad_request(
            "Missing required element 'host' or 'binary' in request body.",
        ));
    }
    let reason = match with_reason {
        true => Some(fields.needed_text("disabled_reason", 1)?),
        false => None,
    };
    let absent = || Fault::not_found(format!("Service {binary} could not be found on host {host}."));
    if binary != BINARY {
        return Err(absent());
    }
    let backends: Vec<_> = call
        .manager()
        .services()
        .into_iter()
        .map(|service| call.manager().switched(&service.status.name))
        .filter(|switch| switch.host == host || switch.host.split('@').next() == Some(&host))
        .collect();
    if backends.is_empty() {
        return Err(absent());
    }
    for backend in &backends {
        call.manager()
            .switch(&backend.backend, disabled, reason.clone())
            .await?;
    }
    let mut answer = json!({
        "host": host,
        "service": binary,
        "binary": binary,
        "status": if disabled { "disabled" } else { "enabled" },
        "disabled": disabled,
    });
    if with_reason && let Some(map) = answer.as_object_mut() {
        map.insert("disabled_reason".into(), json!(reason));
    }
    Ok(Json(answer).into_response())
}
