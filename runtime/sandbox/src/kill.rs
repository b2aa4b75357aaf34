//! How an instance is told to end: one flag that every mechanism looks at.
//!
//! Whoever waits for a call sets it when the deadline passes or when nobody wants the answer any more. The wrapper
//! round the call's future ([`crate::turns`]) sees it at the next slice (about 0.05 ms of computing) and drops the
//! future; the epoch callback sees it at the next tick (10 ms) should the guest not come back to the wrapper. A
//! killed instance is never used again.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Shared between an instance's thread, its epoch callback and its handle.
#[derive(Debug)]
pub(crate) struct Kill {
    killed: AtomicBool,
    notify: Notify,
    /// The running call's backstop, in milliseconds since `start`; 0: none.
    backstop: AtomicU64,
    start: Instant,
}

impl Kill {
    pub(crate) fn new() -> Self {
        Kill {
            killed: AtomicBool::new(false),
            notify: Notify::new(),
            backstop: AtomicU64::new(0),
            start: Instant::now(),
        }
    }

    /// Ends the instance. May be called more than once.
    pub(crate) fn kill(&self) {
        self.killed.store(true, Ordering::SeqCst);
        self.notify.notify_waiters();
        self.notify.notify_one();
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }

    /// Completes once the instance is killed.
    pub(crate) async fn killed(&self) {
        while !self.is_killed() {
            self.notify.notified().await;
        }
    }

    /// Arms the backstop for the call that begins now; `None` disarms it.
    pub(crate) fn arm(&self, within: Option<Duration>) {
        let at = within.map_or(0, |within| (self.start.elapsed() + within).as_millis() as u64);
        self.backstop.store(at, Ordering::Relaxed);
    }

    /// What the epoch callback asks at each tick.
    pub(crate) fn must_stop(&self) -> bool {
        let at = self.backstop.load(Ordering::Relaxed);
        self.is_killed() || (at != 0 && self.start.elapsed().as_millis() as u64 >= at)
    }
}
