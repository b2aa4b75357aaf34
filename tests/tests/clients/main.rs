//! The clients that people have, unmodified, against the built service: python-cinderclient and python-openstackclient.
//!
//! Each file is one person's day: a service of its own, many steps. What a client prints is held against what is stored: the
//! service's own records, the files of the volumes and of the backends. A client starts in about a second, so steps that do not
//! depend on one another are made side by side.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod backups;
mod limits;
mod openstack;
mod records;
mod refused;
mod services;
mod volumes;

use cofferdam_tests::cinder::Cinder;
use cofferdam_tests::clients::{Caller, Clients};
use serde_json::Value;

/// A service, and the clients for it.
struct Scene {
    cinder: Cinder,
    clients: Clients,
}

impl Scene {
    /// None when this machine cannot have the clients, which it has said then.
    fn begin(options: &str) -> Option<Self> {
        let clients = Clients::get()?;
        Some(Scene {
            cinder: Cinder::start(options),
            clients,
        })
    }

    fn caller(&self, user: &str, project: &str) -> Caller {
        self.clients.caller(&self.cinder.endpoint(), user, project)
    }

    /// An admin in the project `p`.
    fn admin(&self) -> Caller {
        self.caller("admin", "p")
    }

    /// A member of the project `p`.
    fn ada(&self) -> Caller {
        self.caller("ada", "p")
    }

    /// The service's own record of a backup.
    fn stored(&self, backup: &str) -> Value {
        self.cinder.json(&["backup", "show", backup])
    }

    /// How many objects of a backup the backends hold.
    fn objects(&self, backup: &str) -> usize {
        let all = ["one", "two"].map(|name| cofferdam_tests::cinder::volume_files(&self.cinder.path(name)));
        let of = |path: &&std::path::PathBuf| path.to_string_lossy().contains(backup);
        all.iter().flatten().filter(of).count()
    }

    fn wait(&self, collection: &str, id: &str, status: &str) -> Value {
        let rest = self.cinder.rest("admin", "p");
        rest.wait_for(&format!("/v3/{collection}/{id}"), status)
    }

    fn wait_gone(&self, collection: &str, id: &str) {
        let rest = self.cinder.rest("admin", "p");
        rest.wait_for_gone(&format!("/v3/{collection}/{id}"));
    }
}

/// Works that do not depend on one another, side by side.
fn abreast(works: &[&(dyn Fn() + Sync)]) {
    std::thread::scope(|scope| {
        for work in works {
            scope.spawn(work);
        }
    });
}
