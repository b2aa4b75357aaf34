//! Who asks a registry: whoever logged in to it with a tool for containers.
//!
//! `podman login`, `docker login`, `skopeo login` and `oras login` all leave their word in one of two files, or with a helper that
//! those name; that is read, and nothing is kept of our own. Who has logged in nowhere asks as nobody in particular.

use std::fmt;

use docker_credential::{DockerCredential, get_credential, get_podman_credential};

/// A user of a registry.
#[derive(Clone)]
pub struct Credentials {
    /// Name.
    pub user: String,
    /// Password or token; never shown.
    pub password: String,
}

impl Credentials {
    /// What this user has for a registry (`HOST[:PORT]`): in `$REGISTRY_AUTH_FILE` or else podman's file, or in docker's. Helpers that
    /// these name are run, and may wait for somebody. Identity tokens, which are no passwords, are not used.
    pub fn of_this_user(registry: &str) -> Option<Self> {
        let found = get_podman_credential(registry)
            .ok()
            .or_else(|| get_credential(registry).ok())?;
        match found {
            DockerCredential::UsernamePassword(user, password) => Some(Credentials { user, password }),
            DockerCredential::IdentityToken(_) => None,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}
