//! The service's HTTP interfaces: Cinder's REST API for the clients that people have ([`v3`]), and our own, JSON below `/v1`, for
//! what Cinder has no word for. The service's Unix socket has the second, for whoever may connect is its administrator; the
//! network has both, behind [`auth`].
//!
//! Routes of the second: `GET /v1/services[/NAME]`, `GET|POST /v1/backups`, `POST /v1/adopt[_all]`, `GET|DELETE /v1/backups/ID`, `POST
//! /v1/backups/ID/restore`, `POST /v1/backups/ID/verify`, `GET /v1/operations[/ID]`, `POST
//! /v1/services/NAME/reinitialize`, `GET /v1/events`, `POST /v1/reload`, `GET /metrics`, `GET /livez`, `GET /readyz`. Work is answered with 202 and an
//! operation to look at.
//!
//! Every body is hostile until it is read: at most 64 KiB, no unknown fields, an error with code, message and remedy.

pub mod auth;
mod error;
pub mod health;
mod metrics;
pub mod model;
mod public;
mod routes;
mod v3;
mod views;

pub use metrics::http::{HttpMetrics, observe};
pub use public::{Public, public};
pub use routes::{Reload, router};
pub use views::{error as error_view, event as event_view, service as service_view};
