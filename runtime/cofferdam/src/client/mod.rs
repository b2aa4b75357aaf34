//! One way to speak to the service: HTTP to its router. Over the Unix socket of a running daemon; over TCP or TLS to
//! another machine (`--url`); or, with no daemon running, to a router in this very process on the same configuration. A
//! lock on the state folder makes sure that there is never more than one service on it.

mod dial;
mod target;
mod wire;

use std::sync::Arc;

use anyhow::{Context, bail};
use cofferdam_api::model::{ErrorBody, ErrorView, OperationView};
use cofferdam_manager::{CompileHelper, Manager, ServiceOptions};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt;

use crate::config::Config;
use crate::exit::ServiceError;

pub(crate) use dial::Credentials;
pub(crate) use target::Target;
use wire::Wire;

/// Whom to speak to.
pub(crate) enum Client {
    /// A running service, here or elsewhere.
    Service(Box<Wire>),
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
        if let Ok(client) = Self::daemon(config).await {
            return Ok(client);
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
            Ok(_) => Self::at(&Target::Unix(socket), &Credentials::default()),
            Err(error) => Err(ServiceError(ErrorView {
                code: "not-running".into(),
                message: format!("no service answers on {}: {error}", socket.display()),
                remedy: "start it: cofferdam run; or name one elsewhere with --url".into(),
            })
            .into()),
        }
    }

    /// A service that is named. Does not connect yet.
    ///
    /// # Errors
    /// When the credentials' files are not what they should be.
    pub(crate) fn at(target: &Target, credentials: &Credentials) -> anyhow::Result<Client> {
        Ok(Client::Service(Box::new(Wire::new(target, credentials)?)))
    }

    /// Whether paths that are given to the service are paths of another machine.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self, Client::Service(wire) if wire.is_remote())
    }

    /// Whether the service is this process, and ends with it.
    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self, Client::Embedded { .. })
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
        let mut request = Request::builder().method(method).uri(path);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(Full::new(Bytes::from(body.unwrap_or_default())))?;
        let (status, bytes) = match self {
            Client::Service(wire) => wire.send(request).await?,
            Client::Embedded { router, .. } => {
                let answer = router.clone().oneshot(request.map(axum::body::Body::new)).await?;
                (answer.status(), answer.into_body().collect().await?.to_bytes())
            }
        };
        understood(status, &bytes)
    }
}

/// As one part of a URL's path, or a value in its query.
pub(crate) fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let one = |byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

/// An answer's value, or the error that it is.
fn understood<T: DeserializeOwned>(status: StatusCode, bytes: &[u8]) -> anyhow::Result<T> {
    if status.is_success() {
        let bytes: &[u8] = if bytes.is_empty() { b"null" } else { bytes };
        return serde_json::from_slice(bytes)
            .context("the service's answer is not what this version understands");
    }
    if let Ok(body) = serde_json::from_slice::<ErrorBody>(bytes) {
        return Err(ServiceError(body.error).into());
    }
    if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
        return Err(ServiceError(ErrorView {
            code: "unauthorized".into(),
            message: format!("the service refused with {status}"),
            remedy: "give a token that may do this: --token, or COFFERDAM_TOKEN".into(),
        })
        .into());
    }
    bail!("what answered said {status} without a reason; is it a Cofferdam service?")
}
