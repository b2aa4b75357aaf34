//! A backend's driver, as far as the supervisor needs to know it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cofferdam_sandbox::Failure;
use tokio::time::Instant;

/// What can be loaded, initialised and probed.
///
/// The supervisor makes at most one call at a time to one driver. It may drop the future of any call (on disable,
/// shutdown, or when the call has not returned one second after its deadline); the driver must then let go of what
/// the call held.
#[async_trait]
pub trait Driver: Send + Sync + 'static {
    /// A generation of ready instances that operations lease. It is dropped when the backend goes down or a newer
    /// generation has taken its place, and the last lease has ended.
    type Ready: Send + Sync + 'static;

    /// Reads, validates and compiles the driver. Called before every initialisation, so that a mended file is seen.
    /// Bounded by itself, and not charged to the initialisation's deadline.
    async fn load(&self) -> Result<(), Failure>;

    /// Sets up a new generation and proves that its backend is usable.
    ///
    /// `deadline` is the instant at which the call must have ended, `limit` the same as a length of time (for
    /// messages), `fuel` its CPU budget in units of fuel. The callee keeps the deadline itself and answers
    /// [`Failure::WallTimeout`].
    async fn initialize(
        &self,
        deadline: Instant,
        limit: Duration,
        fuel: u64,
    ) -> Result<Initialized<Self::Ready>, Failure>;

    /// Looks whether the backend of a generation still works; cheap, no side effects. Deadline as above.
    async fn probe(
        &self,
        ready: &Arc<Self::Ready>,
        deadline: Instant,
        limit: Duration,
    ) -> Result<(), Failure>;
}

/// What a successful initialisation gives.
#[derive(Debug)]
pub struct Initialized<R> {
    /// The new generation.
    pub ready: Arc<R>,
    /// Fuel used, in units.
    pub fuel: u64,
    /// Greatest memory of an instance, in bytes.
    pub peak_memory: u64,
}
