//! What every handler of Cinder's API gets with a request: who asks, which microversion they speak, their query, and how this
//! service is reached, for links.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use cofferdam_manager::{Caller, Manager};

use super::fault::Fault;
use super::version::Version;
use crate::auth::{Authenticate, Identity, Role};

/// What the routes share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) manager: Arc<Manager>,
    pub(crate) auth: Arc<dyn Authenticate>,
    /// Scheme, host and path that clients reach this service by, when the request does not tell.
    pub(crate) public_endpoint: Option<String>,
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
}

/// The id of one request, in its answer, its log lines and its messages.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// The project that a path names.
#[derive(Debug, Clone)]
pub(crate) struct PathProject(pub(crate) String);

/// One request to a handler.
pub(crate) struct Call {
    pub(crate) shared: Shared,
    pub(crate) identity: Identity,
    pub(crate) version: Version,
    pub(crate) request_id: String,
    /// Scheme, host and port, without a slash at the end.
    pub(crate) base: String,
    /// Names and values of the query, decoded.
    pub(crate) query: Vec<(String, String)>,
}

impl Call {
    pub(crate) fn manager(&self) -> &Arc<Manager> {
        &self.shared.manager
    }

    /// Who asks, for the manager.
    pub(crate) fn caller(&self) -> Caller {
        Caller {
            project_id: self.identity.project_id.clone(),
            user_id: self.identity.user_id.clone(),
            is_admin: self.is_admin(),
            is_counted: true,
            request_id: Some(self.request_id.clone()),
        }
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.identity.role == Role::Admin
    }

    /// Refuses those whose role does not suffice for what the rule names.
    pub(crate) fn need(&self, role: Role, rule: &str) -> Result<(), Fault> {
        match self.identity.role >= role {
            true => Ok(()),
            false => Err(Fault::forbidden(rule)),
        }
    }

    /// Refuses those who speak an older version: there is no such thing for them.
    pub(crate) fn since(&self, minor: u32) -> Result<(), Fault> {
        match self.version.has(minor) {
            true => Ok(()),
            false => Err(Fault::not_found(format!(
                "This is not served before microversion 3.{minor}."
            ))),
        }
    }

    /// The last value that the query gives a name.
    pub(crate) fn asked(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().rev().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A link within the API, below the caller's project.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}/v3/{}/{path}", self.base, self.identity.project_id)
    }

    /// The same without the version, as Cinder's bookmarks are.
    pub(crate) fn bookmark(&self, path: &str) -> String {
        format!("{}/{}/{path}", self.base, self.identity.project_id)
    }
}

/// How this service is reached by whoever sends these headers.
pub(crate) fn base(shared: &Shared, headers: &HeaderMap) -> String {
    if let Some(endpoint) = &shared.public_endpoint {
        return endpoint.trim_end_matches('/').to_owned();
    }
    let sound = |host: &&str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
        !host.is_empty() && host.len() <= 255 && host.bytes().all(plain)
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    format!(
        "{}://{}",
        shared.scheme,
        host.filter(sound).unwrap_or("localhost")
    )
}

/// Names and values of a query, decoded. What is no UTF-8 is refused.
pub(crate) fn query(text: &str) -> Result<Vec<(String, String)>, Fault> {
    let decoded = |text: &str| {
        let spaced = text.replace('+', " ");
        let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8();
        match decoded {
            Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
            _ => Err(Fault::bad_request("The query of the URL is no UTF-8 text.")),
        }
    };
    let parts = text.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decoded(name)?, decoded(value)?))
        })
        .collect()
}

impl FromRequestParts<Shared> for Call {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fault> {
        let identity = shared
            .auth
            .authenticate(&parts.headers)
            .await
            .map_err(|why| Fault {
                status: axum::http::StatusCode::UNAUTHORIZED,
                message: why.message,
            })?;
        let version = Version::of(&parts.headers)?;
        if let Some(PathProject(project)) = parts.extensions.get()
            && *project != identity.project_id
        {
            return Err(Fault::bad_request(format!(
                "Malformed request url: the URL's project_id '{project}' doesn't match Context's project_id '{}'.",
                identity.project_id
            )));
        }
        let request_id = parts.extensions.get::<RequestId>();
        Ok(Call {
            base: base(shared, &parts.headers),
            shared: shared.clone(),
            identity,
            version,
            request_id: request_id.map_or_else(String::new, |id| id.0.clone()),
            query: query(parts.uri.query().unwrap_or_default())?,
        })
    }
}
