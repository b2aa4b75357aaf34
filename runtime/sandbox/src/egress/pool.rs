//! Connections that are kept for the next request to the same origin.
//!
//! Bound: [`MOST`] idle ones per instance, none older than [`OLDEST`]: younger than what servers keep open, so that a request
//! seldom meets one that is being closed. They belong to the instance, whose thread drives them, and end with it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::client::conn::http1::SendRequest;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::bodies::RequestBody;
use super::wire::Trouble;
use crate::network::Target;

/// Idle connections that an instance keeps.
const MOST: usize = 8;

/// How long one is kept.
const OLDEST: Duration = Duration::from_secs(15);

/// How long a connection may need to get ready for its next request.
const READY: Duration = Duration::from_millis(50);

/// A live HTTP/1.1 connection; dropped, it is closed.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) target: Target,
    pub(super) sender: SendRequest<RequestBody>,
    pub(super) trouble: Trouble,
    /// Drives it.
    pub(super) task: JoinHandle<()>,
    /// Whether requests name the whole URL, for a proxy.
    pub(super) absolute: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The idle ones, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Vec<(Instant, Connection)>>);

impl Pool {
    /// Keeps a connection whose last answer was read to its end.
    pub(super) fn put(&self, connection: Connection) {
        if connection.sender.is_closed() || connection.trouble.get().is_some() {
            return;
        }
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((Instant::now(), connection));
        if idle.len() > MOST {
            drop(idle.remove(0));
        }
    }

    fn newest(&self, target: &Target) -> Option<Connection> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(since, connection)| since.elapsed() < OLDEST && !connection.sender.is_closed());
        let at = idle
            .iter()
            .rposition(|(_, connection)| connection.target == *target)?;
        Some(idle.remove(at).1)
    }

    /// One that can take a request now.
    pub(super) async fn take(&self, target: &Target) -> Option<Connection> {
        while let Some(mut connection) = self.newest(target) {
            let ready = tokio::time::timeout(READY, connection.sender.ready()).await;
            if matches!(ready, Ok(Ok(()))) {
                return Some(connection);
            }
        }
        None
    }
}
