//! How many initialisations begin at the same moment.
//!
//! Problem: a thousand backends that all begin at once (at start, or after an outage) slow each other down, so that each
//! takes a thousand times as long, and their deadlines are spent on waiting for a processor. Solution: each waits its
//! turn before its clock starts, first come, first served. A turn ends with the work, or after [`HOLD`] when the work
//! takes longer: a healthy driver is done by then, one that waits for its storage does not need the processor, and one
//! that computes is held by its sandbox.
//! Bound: [`ABREAST`] begin at once; the last of N that all hang begins after N / [`ABREAST`] times [`HOLD`]: 1.3 s for
//! a thousand. Cost: one semaphore operation.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

/// Initialisations that begin at once.
const ABREAST: usize = 4;

/// Longest time that one keeps the others from beginning.
const HOLD: Duration = Duration::from_millis(5);

/// The turns of all backends of a supervisor.
#[derive(Debug, Clone)]
pub(crate) struct Pace(Arc<Semaphore>);

impl Pace {
    pub(crate) fn new() -> Self {
        Pace(Arc::new(Semaphore::new(ABREAST)))
    }

    /// Waits for a turn, then makes the work and does it.
    pub(crate) async fn begin<F: Future>(&self, work: impl FnOnce() -> F) -> F::Output {
        // An error says that the semaphore was closed, which nobody does.
        let turn = self.0.acquire().await;
        let mut work = std::pin::pin!(work());
        if let Ok(done) = tokio::time::timeout(HOLD, work.as_mut()).await {
            return done;
        }
        drop(turn);
        work.await
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn those_that_hang_hold_the_others_up_for_a_moment_only() {
        let (pace, begin) = (Pace::new(), Instant::now());
        let hanging: Vec<_> = (0..1000)
            .map(|_| {
                let pace = pace.clone();
                tokio::spawn(async move { pace.begin(std::future::pending::<()>).await })
            })
            .collect();
        // Each has its place in the queue then.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pace.begin(|| async { 7 }).await, 7);
        let (waited, bound) = (begin.elapsed(), HOLD * (1000 / ABREAST as u32));
        // Timers are exact to a millisecond.
        assert!(
            waited >= bound && waited <= bound * 3 / 2,
            "{waited:?}, not {bound:?}"
        );
        hanging.iter().for_each(|task| task.abort());
    }
}
