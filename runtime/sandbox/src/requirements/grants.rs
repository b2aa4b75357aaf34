//! What a deployer lets a backend's driver use, and whether something lies in it.

use std::path::PathBuf;

use serde::Serialize;

use crate::contract::OptionKind;
use crate::failure::Failure;
use crate::network::{Network, Origin, Policy, Target, TcpAddress};

/// A directory that the deployer lets a backend's driver use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DirectoryGrant {
    /// Absolute path; everything below it is meant too.
    pub path: PathBuf,
    /// Whether the driver may write there.
    pub write: bool,
}

/// All that the deployer lets a backend's driver use. Empty: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Grants {
    /// Directories.
    pub directories: Vec<DirectoryGrant>,
    /// Origins that requests may go to.
    pub http: Vec<Origin>,
    /// Private, loopback and own addresses that the names of such origins may resolve to.
    pub networks: Vec<Network>,
    /// Addresses of raw TCP connections.
    pub tcp: Vec<TcpAddress>,
    /// Options of kind `secret` whose values the driver may read.
    pub reveal: Vec<String>,
}

impl Grants {
    /// What of the network a driver gets that wants HTTP or not.
    pub(super) fn policy(&self, wants_http: bool) -> Policy {
        Policy {
            http: self.http.clone(),
            networks: self.networks.clone(),
            tcp: self.tcp.clone(),
            wants_http,
        }
    }

    /// The directory in the form that it is given in.
    ///
    /// # Errors
    /// `denied`, with the line to add.
    pub(super) fn directory(
        &self,
        option: &str,
        path: &str,
        kind: OptionKind,
    ) -> Result<DirectoryGrant, Failure> {
        let write = kind == OptionKind::Directory;
        let path = PathBuf::from(path);
        if self
            .directories
            .iter()
            .any(|grant| path.starts_with(&grant.path) && (grant.write || !write))
        {
            return Ok(DirectoryGrant { path, write });
        }
        let access = if write { "read-write" } else { "read-only" };
        Err(Failure::Denied {
            wanted: format!("{access} access to directory {path:?} (option {option})"),
            grant: format!(
                "directories = [{{ path = {path:?}, access = \"{access}\" }}] to the backend's grants"
            ),
        })
    }

    /// Whether a URL that an option names may be reached.
    ///
    /// # Errors
    /// `denied`, with the line to add.
    pub(super) fn url(&self, option: &str, target: &Target, wants_http: bool) -> Result<(), Failure> {
        self.policy(wants_http)
            .admit_target(target)
            .map_err(|denial| Failure::Denied {
                wanted: format!("{} (option {option})", denial.wanted),
                grant: denial.grant,
            })
    }
}
