//! Who asks, and what they may: every request over the network carries an identity, which one trait gives.
//!
//! How: [`Authenticate`] turns a request's head into an [`Identity`] or refuses it; handlers ask the identity for a role.
//! Roles are Cinder's three (cinder: `cinder/policies/base.py`): an admin may what a member may, a member what a reader may.
//! [`Noauth`] believes what it is told, as Cinder's own strategy of that name; Keystone fits beside it later.

use async_trait::async_trait;
use axum::http::HeaderMap;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look at what their project has.
    Reader,
    /// Change it.
    Member,
    /// See and change everything of all projects, and the service itself.
    Admin,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub user_id: String,
    /// The project that they work in.
    pub project_id: String,
    /// What they may do there.
    pub role: Role,
}

/// Why a request is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unauthenticated {
    /// What was wrong, and what to do.
    pub message: String,
}

/// Tells who sends a request.
#[async_trait]
pub trait Authenticate: Send + Sync {
    /// The sender of a request with these headers.
    ///
    /// # Errors
    /// When there is no identity in them, or none that holds.
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Identity, Unauthenticated>;
}

/// Believes the token `user:project` (cinder: `cinder/api/middleware/auth.py`, `NoAuthMiddlewareBase`).
///
/// Cinder makes everybody an admin there; here only the users who are named so, or else no client could see what an ordinary
/// user sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noauth {
    /// Users who are admins.
    pub admins: Vec<String>,
    /// Users who may only look.
    pub readers: Vec<String>,
}

/// Longest name of a user or a project.
const MOST: usize = 255;

#[async_trait]
impl Authenticate for Noauth {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Identity, Unauthenticated> {
        let refused = |what: &str| Unauthenticated {
            message: format!("{what}; send the header X-Auth-Token: USER:PROJECT (auth_strategy is noauth)"),
        };
        let token = headers
            .get("x-auth-token")
            .ok_or_else(|| refused("the request has no X-Auth-Token"))?
            .to_str()
            .map_err(|_| refused("X-Auth-Token is no plain text"))?;
        let (user, project) = token.split_once(':').unwrap_or((token, token));
        let project = if project.is_empty() { user } else { project };
        let sound =
            |text: &str| !text.is_empty() && text.len() <= MOST && !text.contains(['/', '?', '#', '%']);
        if !sound(user) || !sound(project) {
            return Err(refused("X-Auth-Token names no user and project"));
        }
        let named = |list: &[String]| list.iter().any(|name| name == user);
        let role = match () {
            () if named(&self.admins) => Role::Admin,
            () if named(&self.readers) => Role::Reader,
            () => Role::Member,
        };
        Ok(Identity {
            user_id: user.to_owned(),
            project_id: project.to_owned(),
            role,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(token: Option<&str>) -> Result<Identity, Unauthenticated> {
        let noauth = Noauth {
            admins: vec!["admin".into()],
            readers: vec!["auditor".into()],
        };
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            headers.insert("x-auth-token", token.parse().unwrap());
        }
        noauth.authenticate(&headers).await
    }

    #[tokio::test]
    async fn a_token_names_user_and_project_and_the_user_has_the_role() {
        for (token, user, project, role) in [
            ("admin:admin", "admin", "admin", Role::Admin),
            ("ada:p1", "ada", "p1", Role::Member),
            ("auditor:p1", "auditor", "p1", Role::Reader),
            ("ada", "ada", "ada", Role::Member),
            ("ada:", "ada", "ada", Role::Member),
        ] {
            let identity = ask(Some(token)).await.unwrap();
            assert_eq!((&*identity.user_id, &*identity.project_id), (user, project));
            assert_eq!(identity.role, role, "{token}");
        }
    }

    #[tokio::test]
    async fn a_request_without_a_sound_token_is_refused() {
        for token in [None, Some(""), Some(":p"), Some("a:b/c")] {
            assert!(ask(token).await.is_err(), "{token:?}");
        }
    }
}
