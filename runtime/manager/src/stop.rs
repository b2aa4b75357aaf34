//! How a service stops without haste: it takes on nothing more, and operations that run may end.
//!
//! Bound: none here; who stops the service decides how long it waits, and then calls [`Manager::shutdown`], which
//! cancels what is left.

use std::sync::atomic::Ordering;

use crate::manager::Manager;

impl Manager {
    /// Refuses new operations from now on. Those that run go on.
    pub fn stop_accepting(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// Whether new operations are refused.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Operations that run.
    pub fn running_operations(&self) -> usize {
        self.operations.running()
    }

    /// Cancels the operations that run. Backups go on at the next start.
    pub fn cancel_operations(&self) {
        self.operations.cancel.cancel();
    }

    /// Waits until no operation runs.
    pub async fn idle(&self) {
        self.operations.idle().await;
    }
}
