//! From the manager's errors to answers.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cofferdam_manager::{ErrorKind, ManagerError};

use crate::model::{ErrorBody, ErrorView};

/// An error on its way out.
#[derive(Debug)]
pub(crate) struct ApiError(StatusCode, ErrorView);

impl ApiError {
    pub(crate) fn bad_request(message: impl Into<String>, remedy: &str) -> Self {
        ApiError(
            StatusCode::BAD_REQUEST,
            ErrorView {
                code: "bad-request".into(),
                message: message.into(),
                remedy: remedy.into(),
            },
        )
    }
}

impl ApiError {
    pub(crate) fn with(status: StatusCode, view: ErrorView) -> Self {
        ApiError(status, view)
    }

    /// What is asked for is refused for a reason that its owner has put into words.
    pub(crate) fn refused(view: ErrorView) -> Self {
        ApiError(StatusCode::UNPROCESSABLE_ENTITY, view)
    }
}

impl From<ManagerError> for ApiError {
    fn from(error: ManagerError) -> Self {
        let status = match error.kind() {
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Invalid => StatusCode::BAD_REQUEST,
            ErrorKind::Conflict => StatusCode::CONFLICT,
            ErrorKind::OverQuota => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        ApiError(status, crate::views::error(&error))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.0, Json(ErrorBody { error: self.1 })).into_response()
    }
}
