//! Cinder's REST API, version 3, for the clients that people already have.
//!
//! How: one file per resource; [`call::Call`] gives a handler who asks, in which microversion; [`fields`] reads bodies, [`list`]
//! queries, [`views`] writes answers, [`fault::Fault`] errors. A path may name the caller's project or not: it is taken out
//! before the routes are looked up, so each route stands here once. Every answer has a request id, and below `/v3` the
//! microversion that it speaks. Bound: bodies of 64 KiB but for records that are imported; pages of 1,000.

mod backups;
mod call;
mod documents;
mod fault;
mod fields;
mod limits;
mod list;
mod messages;
mod metadata;
mod services;
mod snapshots;
mod version;
mod versions;
mod views;
mod volumes;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use tower::ServiceBuilder;
use tower::util::MapRequestLayer;

use crate::metrics::http::{HttpMetrics, observe};
pub(crate) use call::Shared;
use call::{PathProject, RequestId};
use fault::Fault;
use version::{HEADER, Version};

/// Bytes that a request's body may have.
const MAX_BODY: usize = 64 << 10;

/// The same of a record to import: its text may have 1 MiB.
const MAX_IMPORT: usize = (1 << 20) + (64 << 10);

/// First words of paths below `/v3`; anything else there is a project.
const RESOURCES: [&str; 11] = [
    "backups",
    "extensions",
    "limits",
    "messages",
    "os-availability-zone",
    "os-quota-sets",
    "os-services",
    "resource_filters",
    "snapshots",
    "types",
    "volumes",
];

/// The routes, with what must happen to a request before they are looked up.
pub(crate) fn router(shared: Shared, metrics: &HttpMetrics) -> Router {
    let routes = Router::new()
        .route("/", get(versions::all))
        .route("/versions", get(versions::all))
        .route("/v3", get(versions::third))
        .route("/v3/", get(versions::third))
        .route("/openapi.json", get(openapi))
        .route("/v3/backups", get(backups::list).post(backups::create))
        .route("/v3/backups/detail", get(backups::detail))
        .route(
            "/v3/backups/import_record",
            post(backups::import).layer(DefaultBodyLimit::max(MAX_IMPORT)),
        )
        .route(
            "/v3/backups/{id}",
            get(backups::show).put(backups::update).delete(backups::delete),
        )
        .route("/v3/backups/{id}/restore", post(backups::restore))
        .route("/v3/backups/{id}/export_record", get(backups::export))
        .route("/v3/backups/{id}/action", post(backups::action))
        .route("/v3/volumes", get(volumes::list).post(volumes::create))
        .route("/v3/volumes/detail", get(volumes::detail))
        .route("/v3/volumes/summary", get(volumes::totals))
        .route(
            "/v3/volumes/{id}",
            get(volumes::show).put(volumes::update).delete(volumes::delete),
        )
        .route("/v3/volumes/{id}/action", post(volumes::action))
        .route("/v3/snapshots", get(snapshots::list).post(snapshots::create))
        .route("/v3/snapshots/detail", get(snapshots::detail))
        .route(
            "/v3/snapshots/{id}",
            get(snapshots::show)
                .put(snapshots::update)
                .delete(snapshots::delete),
        )
        .route("/v3/snapshots/{id}/action", post(snapshots::action))
        .route(
            "/v3/{collection}/{id}/metadata",
            get(metadata::all).post(metadata::add).put(metadata::replace),
        )
        .route(
            "/v3/{collection}/{id}/metadata/{key}",
            get(metadata::one)
                .put(metadata::put_one)
                .delete(metadata::delete_one),
        )
        .route("/v3/os-services", get(services::list))
        .route("/v3/os-services/{action}", put(services::update))
        .route("/v3/limits", get(limits::limits))
        .route(
            "/v3/os-quota-sets/{project}",
            get(limits::show).put(limits::update).delete(limits::delete),
        )
        .route("/v3/os-quota-sets/{project}/defaults", get(limits::defaults))
        .route("/v3/messages", get(messages::list))
        .route("/v3/messages/{id}", get(messages::show).delete(messages::delete))
        .route("/v3/extensions", get(documents::extensions))
        .route("/v3/extensions/{alias}", get(documents::one_extension))
        .route("/v3/os-availability-zone", get(documents::zones))
        .route("/v3/resource_filters", get(documents::resource_filters))
        .route("/v3/types", get(documents::types))
        .route("/v3/types/{id}", get(documents::one_type))
        .fallback(|| async { Fault::not_found("The resource could not be found.") })
        .method_not_allowed_fallback(|| async {
            Fault::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "The method is not allowed for the requested URL.",
            )
        })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(shared);
    let dressed = ServiceBuilder::new()
        .layer(MapRequestLayer::new(prepared))
        .layer(from_fn(dress))
        .service(observe(routes, metrics));
    Router::new().fallback_service(dressed)
}

/// Takes the project out of a path, and a slash at its end.
fn prepared(mut request: Request) -> Request {
    let path = request.uri().path();
    let Some(rest) = path.strip_prefix("/v3/") else {
        return request;
    };
    let trimmed = rest.trim_end_matches('/');
    let (first, below) = trimmed.split_once('/').unwrap_or((trimmed, ""));
    if first.is_empty() {
        return request;
    }
    let is_project = !RESOURCES.contains(&first);
    let path = match (is_project, below) {
        (false, _) => format!("/v3/{trimmed}"),
        (true, "") => return request,
        (true, below) => format!("/v3/{below}"),
    };
    let project = is_project.then(|| {
        let decoded = percent_encoding::percent_decode_str(first).decode_utf8_lossy();
        PathProject(decoded.into_owned())
    });
    let query = request
        .uri()
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let mut parts = request.uri().clone().into_parts();
    let Ok(rewritten) = format!("{path}{query}").parse() else {
        return request;
    };
    parts.path_and_query = Some(rewritten);
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
        if let Some(project) = project {
            request.extensions_mut().insert(project);
        }
    }
    request
}

/// Gives a request its id, and the answer the headers that all answers have.
async fn dress(mut request: Request, next: Next) -> Response {
    let id = format!("req-{}", uuid::Uuid::new_v4());
    let is_third = request.uri().path().starts_with("/v3/");
    let version = Version::of(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut answer = next.run(request).await;
    if answer.status().is_client_error() && !answer.headers().contains_key(header::CONTENT_TYPE) {
        // What axum itself refuses has no body that clients understand.
        answer = Fault::new(answer.status(), "The request cannot be understood.").into_response();
    }
    let headers = answer.headers_mut();
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(HeaderName::from_static("x-compute-request-id"), id.clone());
        headers.insert(HeaderName::from_static("x-openstack-request-id"), id);
    }
    if is_third {
        headers.insert(header::VARY, HeaderValue::from_static("OpenStack-API-Version"));
        if let Some(version) = version.ok().and_then(Version::header) {
            headers.insert(HEADER, version);
        }
    }
    answer
}

/// `GET /openapi.json`: this interface, described.
async fn openapi() -> ([(HeaderName, &'static str); 1], &'static str) {
    (
        [(header::CONTENT_TYPE, "application/json")],
        include_str!("../../openapi.json"),
    )
}
