//! What several calls together may use, and what they have used so far.
//!
//! Problem: an initialisation is several calls in several instances under one deadline and one CPU budget, and whoever
//! reports on it must know what was used, above all when it failed. Solution: all clones of a budget share one meter.
//! The instance's thread charges it at the end of each call, at each epoch tick and at each host call, so that what a
//! call used that never returned is known too. Calls that share a budget come one after another.
//! Cost: three atomic stores per charge.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// What was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Units of fuel.
    pub fuel: u64,
    /// The most bytes of guest memory that one instance held at once.
    pub peak_memory: u64,
}

#[derive(Debug, Default)]
struct Spent {
    fuel: AtomicU64,
    peak_memory: AtomicU64,
}

/// What one call, or several together, may use. Clones share what is used up.
#[derive(Debug, Clone)]
pub struct Budget {
    deadline: Instant,
    limit: Duration,
    fuel: u64,
    spent: Arc<Spent>,
}

impl Budget {
    /// A budget that begins now: wall-clock time, and units of fuel.
    pub fn new(limit: Duration, fuel: u64) -> Self {
        Budget {
            deadline: Instant::now() + limit,
            limit,
            fuel,
            spent: Arc::default(),
        }
    }

    /// When the wall clock has run out.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The span that the deadline came from, for messages.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Units of fuel that are left.
    pub fn fuel_left(&self) -> u64 {
        self.fuel.saturating_sub(self.spent.fuel.load(Ordering::Relaxed))
    }

    /// What was used so far; of a call that goes on, what was seen at the last tick.
    pub fn used(&self) -> Usage {
        Usage {
            fuel: self.spent.fuel.load(Ordering::Relaxed),
            peak_memory: self.spent.peak_memory.load(Ordering::Relaxed),
        }
    }

    /// The meter of a call that begins now.
    pub(crate) fn meter(&self) -> Meter {
        let before = self.spent.fuel.load(Ordering::Relaxed);
        Meter {
            spent: self.spent.clone(),
            before,
            given: self.fuel.saturating_sub(before),
        }
    }

    /// Notes what was used elsewhere; for drivers that are no components.
    pub fn charge(&self, usage: Usage) {
        self.spent.fuel.fetch_add(usage.fuel, Ordering::Relaxed);
        self.spent
            .peak_memory
            .fetch_max(usage.peak_memory, Ordering::Relaxed);
    }
}

/// Charges one call to its budget.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    spent: Arc<Spent>,
    before: u64,
    given: u64,
}

impl Meter {
    /// Fuel that the call was given.
    pub(crate) fn given(&self) -> u64 {
        self.given
    }

    /// The call has so much fuel left, and its instance has held so much memory.
    pub(crate) fn charge(&self, fuel_left: u64, peak_memory: u64) {
        let used = self.given.saturating_sub(fuel_left);
        self.spent
            .fuel
            .store(self.before.saturating_add(used), Ordering::Relaxed);
        self.spent.peak_memory.fetch_max(peak_memory, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_that_share_a_budget_use_it_up_together() {
        let budget = Budget::new(Duration::from_secs(1), 100);
        let first = budget.clone().meter();
        assert_eq!(first.given(), 100);
        first.charge(90, 5);
        first.charge(70, 7);
        assert_eq!((budget.fuel_left(), budget.used().peak_memory), (70, 7));
        let second = budget.meter();
        assert_eq!(second.given(), 70);
        second.charge(0, 6);
        assert_eq!(budget.fuel_left(), 0);
        assert_eq!(
            budget.used(),
            Usage {
                fuel: 100,
                peak_memory: 7
            }
        );
    }
}
