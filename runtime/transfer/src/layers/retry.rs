//! Whether a failed call is made again, and when. Pure: the time and the chance come in.
//!
//! What may pass by itself (the storage is away, it asks for patience, a deadline passed, the host could not) is tried for
//! as long as [`Patience`] says, first soon and then ever later, with jitter so that many do not come in step; a `throttled`
//! is never tried sooner than it asks. What may be chance, but may be a fault of the driver (it crashed, it failed without
//! saying more), is tried once more. Everything else is true the second time too.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cofferdam_sandbox::contract::DriverError;
use cofferdam_sandbox::{Failure, Phase, RetryClass};
use tokio::time::Instant;

/// Longest wait between two tries that is not asked for.
const LONGEST: Duration = Duration::from_secs(30);

/// Tries beyond the first that all calls of a backend together may make at once.
const BURST: f64 = 20.0;

/// And how many more each second.
const PER_SECOND: f64 = 1.0;

/// Tries of a call whose failure may be the driver's fault.
const DOUBTFUL: u32 = 2;

/// How often and how long a call is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Tries in all; 1: never again.
    pub attempts: u32,
    /// No try begins later than this after the first failure.
    pub time: Duration,
    /// Before the second try; twice as long before each further one, up to 30 s.
    pub first_wait: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            attempts: 10,
            time: Duration::from_secs(300),
            first_wait: Duration::from_secs(1),
        }
    }
}

/// What trying again may bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hope {
    Good,
    Doubtful,
    None,
}

pub(super) fn hope(failure: &Failure) -> Hope {
    match failure {
        // A storage that is coming up again may say that a container is not there which was made before the first put.
        Failure::Driver {
            phase: Phase::PutObject,
            error: DriverError::NotFound(_),
        } => Hope::Good,
        failure if failure.retry_class() != RetryClass::Retry => Hope::None,
        Failure::Trap { .. }
        | Failure::Driver {
            error: DriverError::Failed(_),
            ..
        } => Hope::Doubtful,
        _ => Hope::Good,
    }
}

/// The tries of one call.
#[derive(Debug, Default)]
pub struct Tries {
    failed: u32,
    since: Option<Instant>,
}

impl Tries {
    /// Tries that were made.
    pub(super) fn made(&self) -> u32 {
        self.failed
    }

    /// Another try failed: how long to wait before the next, `least` at the least; `None`: there is none. `chance` is from 0
    /// to 1.
    pub(super) fn next(
        &mut self,
        patience: &Patience,
        now: Instant,
        failure: &Failure,
        least: Duration,
        chance: f64,
    ) -> Option<Duration> {
        self.failed += 1;
        let since = *self.since.get_or_insert(now);
        let most = match hope(failure) {
            Hope::Good => patience.attempts,
            Hope::Doubtful => patience.attempts.min(DOUBTFUL),
            Hope::None => 1,
        };
        if self.failed >= most {
            return None;
        }
        let doubled = 2_u32.saturating_pow(self.failed - 1);
        let wait = patience.first_wait.saturating_mul(doubled).min(LONGEST);
        let wait = wait.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
        let wait = wait.max(asked(failure)).max(least);
        let end = now.saturating_duration_since(since).saturating_add(wait);
        (end <= patience.time).then_some(wait)
    }
}

/// How long the storage asks to be left alone.
fn asked(failure: &Failure) -> Duration {
    match failure {
        Failure::Driver {
            error: DriverError::Throttled(throttle),
            ..
        } => Duration::from_millis(throttle.retry_after.unwrap_or(0).into()),
        _ => Duration::ZERO,
    }
}

/// Keeps the tries beyond the first apart, over all calls of a backend: a bucket of tokens that may be drawn on.
#[derive(Debug)]
pub(super) struct Budget(Mutex<(f64, Instant)>);

impl Budget {
    pub(super) fn new(now: Instant) -> Self {
        Budget(Mutex::new((BURST, now)))
    }

    /// Takes a token; says when it is there.
    pub(super) fn take(&self, now: Instant) -> Duration {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_duration_since(bucket.1).as_secs_f64();
        let tokens = (bucket.0 + passed * PER_SECOND).min(BURST) - 1.0;
        *bucket = (tokens, now.max(bucket.1));
        Duration::from_secs_f64((-tokens / PER_SECOND).max(0.0))
    }
}
