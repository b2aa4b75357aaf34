//! Serving the API: sockets, TLS, connections with their bounds, and which router answers where.

mod bind;
mod server;
mod tls;

use std::sync::Arc;

use axum::Router;
use cofferdam_api::{HttpMetrics, Public};
use cofferdam_manager::Manager;

pub(crate) use bind::{tcp, unix};
pub(crate) use server::{Server, UNTAKEN};
pub(crate) use tls::{Tls, read as read_tls};

/// What each listener answers.
pub(crate) struct Routers {
    /// Over the Unix socket, whose mode says who may come.
    pub(crate) local: Router,
    /// Over TCP.
    pub(crate) public: Router,
}

/// Which router answers where: the one place to say so. Both count requests into the same metrics.
pub(crate) fn routers(manager: &Arc<Manager>, reload: cofferdam_api::Reload, public: Public) -> Routers {
    let metrics = HttpMetrics::default();
    let local = cofferdam_api::router(manager.clone(), Some(reload.clone()));
    Routers {
        local: cofferdam_api::observe(local, &metrics),
        public: cofferdam_api::public(manager.clone(), Some(reload), public, &metrics),
    }
}
