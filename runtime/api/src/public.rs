//! What the network sees: Cinder's API for everybody who can say who they are, our own below `/v1` for administrators, and what
//! a monitor asks for.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use cofferdam_manager::Manager;
use tower::{ServiceExt, service_fn};

use crate::auth::{Authenticate, Role};
use crate::error::ApiError;
use crate::metrics::http::{HttpMetrics, observe};
use crate::model::ErrorView;
use crate::routes::{self, Reload};
use crate::v3;

/// What depends on how the service is reached.
#[derive(Clone)]
pub struct Public {
    /// Who tells who asks.
    pub auth: Arc<dyn Authenticate>,
    /// `http` or `https`, for links.
    pub scheme: &'static str,
    /// The URL that clients reach the service by, for links; what they sent as host when absent (cinder: `public_endpoint`).
    pub endpoint: Option<String>,
}

/// The interface for the network; its requests are counted.
pub fn public(
    manager: Arc<Manager>,
    reload: Option<Reload>,
    public: Public,
    metrics: &HttpMetrics,
) -> Router {
    let own = observe(routes::router(manager.clone(), reload), metrics)
        .layer(from_fn_with_state(public.auth.clone(), administrators_only));
    let shared = v3::Shared {
        manager,
        auth: public.auth,
        public_endpoint: public.endpoint,
        scheme: public.scheme,
    };
    let cinder = v3::router(shared, metrics);
    // By the path's first word, not by routes: what one router finds in a path would confuse the other.
    Router::new().fallback_service(service_fn(move |request: Request| {
        let router = match is_own(request.uri().path()) {
            true => own.clone(),
            false => cinder.clone(),
        };
        router.oneshot(request)
    }))
}

fn is_own(path: &str) -> bool {
    path.starts_with("/v1/") || ["/metrics", "/livez", "/readyz"].contains(&path)
}

async fn administrators_only(
    State(auth): State<Arc<dyn Authenticate>>,
    request: Request,
    next: Next,
) -> Response {
    if !request.uri().path().starts_with("/v1/") {
        return next.run(request).await;
    }
    let refused = |status, code: &str, message: String, remedy: &str| {
        let view = ErrorView {
            code: code.into(),
            message,
            remedy: remedy.into(),
        };
        ApiError::with(status, view).into_response()
    };
    match auth.authenticate(request.headers()).await {
        Ok(identity) if identity.role == Role::Admin => next.run(request).await,
        Ok(identity) => refused(
            StatusCode::FORBIDDEN,
            "forbidden",
            format!("{} is no administrator", identity.user_id),
            "ask with an administrator's token",
        ),
        Err(why) => refused(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            why.message,
            "send a token",
        ),
    }
}
