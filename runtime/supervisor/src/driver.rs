//! A backend's driver, as far as the supervisor needs to know it.

use std::sync::Arc;

use async_trait::async_trait;
use cofferdam_sandbox::{Budget, Failure};

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

    /// Sets up a new generation and proves that its backend is usable. The callee keeps the budget's deadline itself
    /// and answers [`Failure::WallTimeout`]; what it uses is charged to the budget, also when it fails.
    async fn initialize(&self, budget: &Budget) -> Result<Arc<Self::Ready>, Failure>;

    /// Looks whether the backend of a generation still works; cheap, no side effects. Budget as above.
    async fn probe(&self, ready: &Arc<Self::Ready>, budget: &Budget) -> Result<(), Failure>;
}
