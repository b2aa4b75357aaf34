//! One way to speak to the service: HTTP to its router, over the Unix socket of a running daemon, or, with none
//! running, to a router in this very process on the same configuration. A lock on the state folder makes sure that
//! there is never more than one of them.

use std::sync::Arc;

use anyhow::{Context, bail};
use cofferdam_api::model::{ErrorBody, ErrorView, OperationView};
use cofferdam_manager::{CompileHelper, Manager, ServiceOptions};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt;

use crate::config::Config;
use crate::exit::ServiceError;

/// Bytes of an answer that are read.
const MAX_ANSWER: usize = 64 << 20;

/// Whom to speak to.
pub(crate) enum Client {
    /// A running daemon.
    Daemon(std::path::PathBuf),
    /// This process.
    Embedded {
        manager: Arc<Manager>,
        router: axum::Router,
    },
}

/// This very binary, as the child that compiles.
pub(crate) fn helper() -> CompileHelper {
    CompileHelper {
        program: "/proc/self/exe".into(),
        arguments: vec!["compile-component".into()],
    }
}

/// Starts a manager on a configuration. A service goes on with backups that were interrupted; a single command does not.
pub(crate) async fn manager(config: &Config, is_service: bool) -> anyhow::Result<Arc<Manager>> {
    let backends = config.backend_options()?;
    let options = ServiceOptions {
        resume_backups: is_service,
        ..config.service_options()
    };
    Ok(Manager::start(options, backends, helper())
        .await
        .map_err(service_error)?)
}

/// An error of the manager as one of the service.
pub(crate) fn service_error(error: cofferdam_manager::ManagerError) -> ServiceError {
    ServiceError(cofferdam_api::error_view(&error))
}

impl Client {
    /// Finds the daemon, or becomes the service for this one command.
    pub(crate) async fn connect(config: &Config) -> anyhow::Result<Client> {
        let socket = config.api_socket();
        if tokio::net::UnixStream::connect(&socket).await.is_ok() {
            return Ok(Client::Daemon(socket));
        }
        let manager = manager(config, false).await?;
        let router = cofferdam_api::router(manager.clone(), None);
        Ok(Client::Embedded { manager, router })
    }

    /// Finds the daemon.
    ///
    /// # Errors
    /// When none answers.
    pub(crate) async fn daemon(config: &Config) -> anyhow::Result<Client> {
        let socket = config.api_socket();
        match tokio::net::UnixStream::connect(&socket).await {
            Ok(_) => Ok(Client::Daemon(socket)),
            Err(error) => Err(ServiceError(ErrorView {
                code: "not-running".into(),
                message: format!("no service answers on {}: {error}", socket.display()),
                remedy: "start it: cofferdam run".into(),
            })
            .into()),
        }
    }

    /// Ends an embedded service; a daemon goes on.
    pub(crate) async fn close(self) {
        if let Client::Embedded { manager, .. } = self {
            manager.shutdown().await;
        }
    }

    /// In an embedded service, waits until every backend's first initialisation has an outcome.
    pub(crate) async fn settle(&self) {
        if let Client::Embedded { manager, .. } = self {
            manager.settled().await;
        }
    }

    /// `GET path`.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.request(Method::GET, path, None).await
    }

    /// `DELETE path`.
    pub(crate) async fn delete<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.request(Method::DELETE, path, None).await
    }

    /// `POST path` with a body.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        self.request(Method::POST, path, Some(serde_json::to_vec(body)?))
            .await
    }

    /// How an operation stands.
    pub(crate) async fn operation(&self, id: &str) -> anyhow::Result<OperationView> {
        self.get(&format!("/v1/operations/{id}")).await
    }

    async fn request<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> anyhow::Result<T> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "cofferdam");
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(Full::new(Bytes::from(body.unwrap_or_default())))?;
        let (status, bytes) = match self {
            Client::Daemon(socket) => {
                let stream = tokio::net::UnixStream::connect(socket)
                    .await
                    .with_context(|| format!("the service at {} does not answer", socket.display()))?;
                let (mut sender, connection) =
                    hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(stream)).await?;
                tokio::spawn(connection);
                let answer = sender
                    .send_request(request)
                    .await
                    .context("the service broke the connection")?;
                let status = answer.status();
                let limited = http_body_util::Limited::new(answer.into_body(), MAX_ANSWER);
                let bytes = limited
                    .collect()
                    .await
                    .map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?;
                (status, bytes.to_bytes())
            }
            Client::Embedded { router, .. } => {
                let answer = router.clone().oneshot(request.map(axum::body::Body::new)).await?;
                (answer.status(), answer.into_body().collect().await?.to_bytes())
            }
        };
        if !status.is_success() {
            let Ok(body) = serde_json::from_slice::<ErrorBody>(&bytes) else {
                bail!("the service answered {status} without a reason");
            };
            return Err(ServiceError(body.error).into());
        }
        let bytes: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
        serde_json::from_slice(bytes).context("the service's answer is not what this version understands")
    }
}
