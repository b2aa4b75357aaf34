//! How an instance is told to end: one flag that every mechanism looks at.
//!
//! Whoever waits for a call sets it when the deadline passes or when nobody wants the answer any more. The wrapper
//! round the call's future ([`Kill::or`]) sees it at the next slice (0.01 to a few ms of computing) and drops the
//! future; the epoch callback sees it at the next tick (10 ms) should the guest not come back to the wrapper. A
//! killed instance is never used again.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::unconstrained;

/// The instance was killed before the work came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the instance was ended")]
pub(crate) struct Killed;

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

    /// Does the work until it ends or the instance is killed, which is looked for at every poll: a guest that computes
    /// comes back after each slice.
    pub(crate) async fn or<F: Future>(&self, work: F) -> Result<F::Output, Killed> {
        let (mut work, mut killed) = (pin!(work), pin!(unconstrained(self.killed())));
        poll_fn(|context| {
            if killed.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(Killed));
            }
            work.as_mut().poll(context).map(Ok)
        })
        .await
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Runs a future that would never end, and kills it from another thread.
    async fn killed<F: Future>(endless: F) -> Result<F::Output, Killed> {
        let kill = Arc::new(Kill::new());
        let killer = kill.clone();
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            killer.kill();
        });
        let outcome = kill.or(endless).await;
        thread.join().unwrap();
        outcome
    }

    #[tokio::test]
    async fn a_killed_future_is_dropped_whether_it_computes_or_waits_for_the_host() {
        let computes = poll_fn(|context| {
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        assert_eq!(killed(computes).await, Err(Killed));
        assert_eq!(killed(std::future::pending::<()>()).await, Err(Killed));
        assert_eq!(Kill::new().or(async { 7 }).await, Ok(7));
    }
}
