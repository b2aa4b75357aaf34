//! What all operations of this process have come to, by kind: for metrics.
//!
//! Counters that go down read as a restart to whoever adds them up, and the progress of an operation does go down when a
//! part of it is made again. So bytes are shown as the highest sum that was ever seen. Bound: kinds times codes, both
//! of which are fixed by the program.

use std::collections::BTreeMap;
use std::time::Duration;

use cofferdam_transfer::{Phase, Snapshot};

use crate::histogram::Histogram;

/// Seconds that operations take: from a small file to a day.
const DURATIONS: &[f64] = &[0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 6.0 * 3600.0, 86_400.0];

/// Bytes of all operations of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// Of volumes that are through, whatever way.
    pub done: u64,
    /// Of volumes that were read (create) or written (restore).
    pub touched: u64,
    /// Of volumes that are holes or zeros: neither read nor written.
    pub skipped: u64,
    /// Of objects that were stored, or fetched.
    pub stored: u64,
}

impl Moved {
    pub(super) fn add(&mut self, progress: &Snapshot) {
        self.done += progress.done;
        self.touched += progress.done.saturating_sub(progress.skipped);
        self.skipped += progress.skipped;
        self.stored += progress.stored;
    }

    /// The greater of each.
    fn most(self, other: Self) -> Self {
        Moved {
            done: self.done.max(other.done),
            touched: self.touched.max(other.touched),
            skipped: self.skipped.max(other.skipped),
            stored: self.stored.max(other.stored),
        }
    }
}

/// All operations of one kind, since the process began.
#[derive(Debug, Clone)]
pub struct OperationTotals {
    /// Those that ended well.
    pub succeeded: u64,
    /// Those that did not, by code.
    pub failed: BTreeMap<&'static str, u64>,
    /// Those that move data now, or delete.
    pub running: u64,
    /// Those that have been taken on and move no data yet: they wait for memory or for their backend, or prepare.
    pub waiting: u64,
    /// What they have moved so far.
    pub moved: Moved,
    /// Seconds that those took that have ended.
    pub durations: Histogram,
}

/// What is kept of one kind.
#[derive(Debug)]
pub(super) struct Ended {
    succeeded: u64,
    failed: BTreeMap<&'static str, u64>,
    moved: Moved,
    shown: Moved,
    durations: Histogram,
}

impl Default for Ended {
    fn default() -> Self {
        Ended {
            succeeded: 0,
            failed: BTreeMap::new(),
            moved: Moved::default(),
            shown: Moved::default(),
            durations: Histogram::new(DURATIONS),
        }
    }
}

impl Ended {
    /// One more has ended: well, or with this code.
    pub(super) fn take_in(&mut self, failure: Option<&'static str>, progress: &Snapshot, took: Duration) {
        match failure {
            None => self.succeeded += 1,
            Some(code) => *self.failed.entry(code).or_default() += 1,
        }
        self.moved.add(progress);
        self.durations.observe(took.as_secs_f64());
    }

    /// Everything, with those that have not ended. Only what moves data can wait for it.
    pub(super) fn totals(&mut self, running: &[Snapshot], moves: bool) -> OperationTotals {
        let waits =
            |progress: &&Snapshot| moves && matches!(progress.phase, Phase::Waiting | Phase::Preparing);
        let waiting = running.iter().filter(waits).count();
        let mut moved = self.moved;
        for progress in running {
            moved.add(progress);
        }
        self.shown = self.shown.most(moved);
        OperationTotals {
            succeeded: self.succeeded,
            failed: self.failed.clone(),
            running: (running.len() - waiting) as u64,
            waiting: waiting as u64,
            moved: self.shown,
            durations: self.durations.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_never_go_down_when_a_part_is_made_again() {
        let mut ended = Ended::default();
        let at = |done| Snapshot {
            done,
            skipped: 1,
            ..Snapshot::default()
        };
        ended.take_in(None, &at(100), Duration::from_secs(1));
        assert_eq!(ended.totals(&[at(50)], true).moved.done, 150);
        assert_eq!(
            ended.totals(&[at(20)], true).moved.done,
            150,
            "a part is made again"
        );
        assert_eq!(ended.totals(&[at(60)], true).moved.touched, 158);
    }
}
