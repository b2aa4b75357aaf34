//! The routes.

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use cofferdam_manager::{
    BackupId, BackupQuery, BackupSource, Caller, Manager, NewBackup, OperationId, Reloaded, RestoreTarget,
};
use futures::future::BoxFuture;
use serde::Deserialize;

use crate::error::ApiError;
use crate::metrics::{self, http::HttpMetrics};
use crate::model::{
    AdoptAllRequest, AdoptRequest, AdoptedView, BackupRecordView, BackupView, CreateRequest, ErrorView,
    EventView, OperationView, OrphanView, RestoreRequest, ServiceView, SwitchRequest,
};
use crate::views;

type Answer<T> = Result<T, ApiError>;
type Shared = State<Arc<Manager>>;

/// Bytes that a request's body may have.
const MAX_BODY: usize = 64 << 10;

/// Reads the configuration anew and takes it; the owner of the configuration provides it.
pub type Reload = Arc<dyn Fn() -> BoxFuture<'static, Result<Reloaded, ErrorView>> + Send + Sync>;

/// The whole interface over one manager. Without `reload` there is no such route.
pub fn router(manager: Arc<Manager>, reload: Option<Reload>) -> Router {
    let mut router = Router::new();
    if let Some(reload) = reload {
        let handler = move || async move { reload().await.map(Json).map_err(ApiError::refused) };
        router = router.route("/v1/reload", post(handler));
    }
    router
        .route("/v1/services", get(services))
        .route("/v1/services/{name}", get(service))
        .route("/v1/services/{name}/reinitialize", post(reinitialize))
        .route("/v1/services/{name}/switch", post(switch))
        .route("/v1/events", get(events))
        .route("/metrics", get(read_metrics))
        .route("/v1/backups", get(backups).post(create))
        .route("/v1/adopt", post(adopt))
        .route("/v1/adopt_all", post(adopt_all))
        .route("/v1/import_record", post(import))
        .route("/v1/orphans", get(orphans).delete(remove_orphans))
        .route("/v1/backups/{id}/export_record", get(export))
        .route("/v1/backups/{id}", get(backup).delete(delete))
        .route("/v1/backups/{id}/restore", post(restore))
        .route("/v1/backups/{id}/verify", post(verify))
        .route("/v1/operations", get(operations))
        .route("/v1/operations/{id}", get(operation))
        .merge(crate::health::routes())
        .fallback(|| async {
            ApiError::bad_request("there is no such route", "use a client of this version")
        })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(manager)
}

async fn services(State(manager): Shared) -> Json<Vec<ServiceView>> {
    Json(manager.services().iter().map(views::service).collect())
}

async fn service(State(manager): Shared, Path(name): Path<String>) -> Answer<Json<ServiceView>> {
    Ok(Json(views::service(&manager.service(&name)?)))
}

async fn reinitialize(State(manager): Shared, Path(name): Path<String>) -> Answer<StatusCode> {
    manager.reinitialize(&name).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn switch(
    State(manager): Shared,
    Path(name): Path<String>,
    request: Result<Json<SwitchRequest>, axum::extract::rejection::JsonRejection>,
) -> Answer<Json<ServiceView>> {
    let SwitchRequest { disabled, reason } = body(request)?;
    manager.switch(&name, disabled, reason).await?;
    Ok(Json(views::service(&manager.service(&name)?)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
    backend: Option<String>,
    after: Option<i64>,
    limit: Option<u32>,
}

async fn events(State(manager): Shared, Query(query): Query<EventsQuery>) -> Answer<Json<Vec<EventView>>> {
    if let Some(backend) = &query.backend {
        manager.service(backend)?;
    }
    let limit = query.limit.unwrap_or(100);
    let events = manager
        .events(query.backend.as_deref(), query.after, limit)
        .await?;
    Ok(Json(events.iter().map(views::event).collect()))
}

async fn read_metrics(
    State(manager): Shared,
    http: Option<Extension<HttpMetrics>>,
) -> ([(HeaderName, &'static str); 1], String) {
    let http = http.as_ref().map(|Extension(http)| http);
    let text = metrics::text(&manager, http).await;
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    limit: Option<u32>,
    marker: Option<String>,
}

async fn backups(State(manager): Shared, Query(query): Query<ListQuery>) -> Answer<Json<Vec<BackupView>>> {
    let marker = query.marker.as_deref().map(id).transpose()?;
    let query = BackupQuery {
        limit: query.limit.unwrap_or(1000).clamp(1, 1000),
        marker: marker.map(|id| id.0),
        ..BackupQuery::default()
    };
    let list = manager.backups(&query).await?;
    Ok(Json(list.iter().map(views::backup).collect()))
}

async fn backup(State(manager): Shared, Path(text): Path<String>) -> Answer<Json<BackupView>> {
    Ok(Json(views::backup(
        &manager.backup_of(&Caller::local(), id(&text)?).await?,
    )))
}

async fn create(
    State(manager): Shared,
    request: Result<Json<CreateRequest>, axum::extract::rejection::JsonRejection>,
) -> Answer<(StatusCode, Json<OperationView>)> {
    let request = body(request)?;
    let new = NewBackup {
        source: BackupSource::Path(PathBuf::from(request.volume)),
        backend: request.backend,
        availability_zone: None,
        metadata: std::collections::BTreeMap::new(),
        name: request.name,
        description: request.description,
        container: request.container,
        incremental: request.incremental,
        parent: request.parent.as_deref().map(id).transpose()?,
        force: request.force,
    };
    let (_, operation) = manager.create(&Caller::local(), new).await?;
    Ok(accepted(&operation))
}

async fn adopt(
    State(manager): Shared,
    request: Result<Json<AdoptRequest>, axum::extract::rejection::JsonRejection>,
) -> Answer<(StatusCode, Json<BackupView>)> {
    let request = body(request)?;
    let record = manager
        .adopt(&request.backend, request.container, request.prefix)
        .await?;
    Ok((StatusCode::CREATED, Json(views::backup(&record))))
}

async fn adopt_all(
    State(manager): Shared,
    request: Result<Json<AdoptAllRequest>, axum::extract::rejection::JsonRejection>,
) -> Answer<Json<AdoptedView>> {
    let request = body(request)?;
    let all = manager.adopt_all(&request.backend, request.container).await?;
    Ok(Json(views::adopted(all)))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct OrphansQuery {
    backend: String,
}

async fn orphans(State(manager): Shared, Query(query): Query<OrphansQuery>) -> Answer<Json<Vec<OrphanView>>> {
    let all = manager.orphans(&query.backend, false).await?;
    Ok(Json(all.into_iter().map(views::orphan).collect()))
}

async fn remove_orphans(
    State(manager): Shared,
    Query(query): Query<OrphansQuery>,
) -> Answer<Json<Vec<OrphanView>>> {
    let all = manager.orphans(&query.backend, true).await?;
    Ok(Json(all.into_iter().map(views::orphan).collect()))
}

async fn export(State(manager): Shared, Path(text): Path<String>) -> Answer<Json<BackupRecordView>> {
    let exported = manager.export(&Caller::local(), id(&text)?).await?;
    Ok(Json(BackupRecordView {
        backup_service: exported.service,
        backup_url: exported.url,
        backend: None,
    }))
}

async fn import(
    State(manager): Shared,
    request: Result<Json<BackupRecordView>, axum::extract::rejection::JsonRejection>,
) -> Answer<(StatusCode, Json<BackupView>)> {
    let request = body(request)?;
    let backend = request.backend.ok_or_else(|| {
        ApiError::bad_request(
            "the body names no backend",
            "say in \"backend\" which one holds the objects",
        )
    })?;
    let (service, url) = (&request.backup_service, &request.backup_url);
    let record = manager
        .import(&Caller::local(), service, Some(&backend), url)
        .await?;
    Ok((StatusCode::CREATED, Json(views::backup(&record))))
}

async fn restore(
    State(manager): Shared,
    Path(text): Path<String>,
    request: Result<Json<RestoreRequest>, axum::extract::rejection::JsonRejection>,
) -> Answer<(StatusCode, Json<OperationView>)> {
    let request = body(request)?;
    let target = RestoreTarget::Path {
        path: PathBuf::from(request.target),
        overwrite: request.overwrite,
    };
    let (operation, _) = manager.restore(&Caller::local(), id(&text)?, target).await?;
    Ok(accepted(&operation))
}

async fn verify(
    State(manager): Shared,
    Path(text): Path<String>,
) -> Answer<(StatusCode, Json<OperationView>)> {
    Ok(accepted(&manager.verify(&Caller::local(), id(&text)?).await?))
}

async fn delete(
    State(manager): Shared,
    Path(text): Path<String>,
) -> Answer<(StatusCode, Json<OperationView>)> {
    Ok(accepted(
        &manager.delete(&Caller::local(), id(&text)?, false).await?,
    ))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OperationsQuery {
    /// So many of those that have ended.
    ended: Option<usize>,
}

async fn operations(
    State(manager): Shared,
    Query(query): Query<OperationsQuery>,
) -> Json<Vec<OperationView>> {
    let all = manager.operations(query.ended.unwrap_or(100)).await;
    Json(all.iter().map(views::operation).collect())
}

async fn operation(State(manager): Shared, Path(text): Path<String>) -> Answer<Json<OperationView>> {
    let wrong = || {
        ApiError::bad_request(
            format!("{text:?} is no operation's id"),
            "use the id that was answered",
        )
    };
    let id = text.parse().map(OperationId).map_err(|_| wrong())?;
    let mut operation = manager.operation(id)?;
    manager.describe(&mut operation).await;
    Ok(Json(views::operation(&operation)))
}

fn accepted(operation: &cofferdam_manager::OperationStatus) -> (StatusCode, Json<OperationView>) {
    (StatusCode::ACCEPTED, Json(views::operation(operation)))
}

fn id(text: &str) -> Result<BackupId, ApiError> {
    text.parse().map(BackupId).map_err(|_| {
        ApiError::bad_request(
            format!("{text:?} is no backup's id"),
            "use the id from `cofferdam backup list`",
        )
    })
}

fn body<T>(request: Result<Json<T>, axum::extract::rejection::JsonRejection>) -> Result<T, ApiError> {
    request.map(|Json(body)| body).map_err(|rejection| {
        ApiError::bad_request(
            rejection.body_text(),
            "send the JSON body that the documentation shows",
        )
    })
}
