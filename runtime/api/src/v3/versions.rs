//! The documents by which clients find out what is served (cinder: `cinder/api/versions.py`): `GET /` and `GET /v3`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::call::{Shared, base};
use super::version::MOST;

fn document(base: &str) -> Value {
    json!({
        "versions": [{
            "id": "v3.0",
            "status": "CURRENT",
            "version": format!("3.{MOST}"),
            "min_version": "3.0",
            "updated": "2023-08-31T00:00:00Z",
            "links": [
                { "rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/" },
                { "rel": "self", "href": format!("{base}/v3/") }
            ],
            "media-types": [{
                "base": "application/json",
                "type": "application/vnd.openstack.volume+json;version=3"
            }]
        }]
    })
}

/// `GET /`: 300, as there might be several.
pub(crate) async fn all(State(shared): State<Shared>, headers: HeaderMap) -> (StatusCode, Json<Value>) {
    (
        StatusCode::MULTIPLE_CHOICES,
        Json(document(&base(&shared, &headers))),
    )
}

/// `GET /v3`.
pub(crate) async fn third(State(shared): State<Shared>, headers: HeaderMap) -> Json<Value> {
    Json(document(&base(&shared, &headers)))
}
