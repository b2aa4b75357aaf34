//! Errors as Cinder words and numbers them: `{"badRequest": {"code": 400, "message": "…"}}` (cinder: `cinder/api/openstack/
//! wsgi.py`, `Fault`).
//!
//! What the manager refuses is told with its own sentence and what to do about it, under the status that Cinder's clients
//! expect: what is wrong with a state is 400 there, what cannot be had for want of a backend 503.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cofferdam_manager::{ErrorKind, ManagerError};
use serde_json::json;

/// An error on its way out.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Fault {
            status,
            message: message.into(),
        }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn not_acceptable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// There is nothing of that kind with that name or id, for whoever asks.
    pub(crate) fn absent(what: &str, id: &str) -> Self {
        Self::not_found(format!("{what} {id} could not be found."))
    }

    /// The role does not suffice.
    pub(crate) fn forbidden(rule: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            format!("Policy doesn't allow {rule} to be performed."),
        )
    }

    /// The name of the error's kind, the only key of the body.
    fn name(&self) -> &'static str {
        match self.status.as_u16() {
            400 => "badRequest",
            401 => "unauthorized",
            403 => "forbidden",
            404 => "itemNotFound",
            405 => "badMethod",
            406 => "notAcceptable",
            409 => "conflictingRequest",
            413 => "overLimit",
            415 => "badMediaType",
            501 => "notImplemented",
            503 => "serviceUnavailable",
            _ => "computeFault",
        }
    }
}

impl From<ManagerError> for Fault {
    fn from(error: ManagerError) -> Self {
        let status = match error.kind() {
            // What the request is about cannot be read or written: no fault of the service's own.
            _ if matches!(error, ManagerError::Transfer { .. }) => StatusCode::BAD_REQUEST,
            _ if matches!(error, ManagerError::Volume { .. } | ManagerError::Driver(_)) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Invalid | ErrorKind::Conflict => StatusCode::BAD_REQUEST,
            ErrorKind::OverQuota => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(code = error.code(), %error, "a request failed");
        }
        Fault {
            status,
            message: words(&error),
        }
    }
}

/// Cinder's words where clients and people look for them, and what to do where that is not plain.
fn words(error: &ManagerError) -> String {
    match error {
        ManagerError::UnknownBackup(id) => format!("Backup {id} could not be found."),
        ManagerError::Absent { what: "volume", id } => format!("Volume {id} could not be found."),
        ManagerError::Absent { what: "snapshot", id } => format!("Snapshot {id} could not be found."),
        ManagerError::Absent { id, .. } => format!("Message {id} could not be found."),
        ManagerError::WrongStatus { what, .. } => format!("Invalid {what}: {error}."),
        ManagerError::Transfer { .. } => format!("Invalid volume: {error}. To do: {}.", error.remedy()),
        ManagerError::OverQuota {
            resource: "backups", ..
        } => format!("BackupLimitExceeded: {error}"),
        ManagerError::OverQuota {
            resource: "backup_gigabytes",
            ..
        } => {
            format!("VolumeBackupSizeExceedsAvailableQuota: {error}")
        }
        ManagerError::OverQuota { .. } => format!("VolumeLimitExceeded: {error}"),
        _ => format!("{error}. To do: {}.", error.remedy()),
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let body = json!({ self.name(): { "code": self.status.as_u16(), "message": self.message } });
        let mut answer = (self.status, Json(body)).into_response();
        if self.status == StatusCode::PAYLOAD_TOO_LARGE {
            answer
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("0"));
        }
        answer
    }
}
