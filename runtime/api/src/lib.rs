//! The service's HTTP interface. For now a thin local one, JSON on a Unix socket, that our own command line uses; the
//! Cinder v3 interface takes its place beside it.
//!
//! Routes: `GET /v1/services[/NAME]`, `GET|POST /v1/backups`, `POST /v1/adopt[_all]`, `GET|DELETE /v1/backups/ID`, `POST
//! /v1/backups/ID/restore`, `POST /v1/backups/ID/verify`, `GET /v1/operations[/ID]`, `POST
//! /v1/services/NAME/reinitialize`, `GET /v1/events`, `POST /v1/reload`, `GET /metrics`, `GET /livez`, `GET /readyz`. Work is answered with 202 and an
//! operation to look at.
//!
//! Every body is hostile until it is read: at most 64 KiB, no unknown fields, an error with code, message and remedy.

mod error;
pub mod health;
mod metrics;
pub mod model;
mod routes;
mod views;

pub use metrics::http::{HttpMetrics, observe};
pub use routes::{Reload, router};
pub use views::{error as error_view, event as event_view, service as service_view};
