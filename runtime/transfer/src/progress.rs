//! How far an operation is, and the wish that it stop: shared between its threads and whoever watches.
//!
//! Cost: one relaxed atomic addition per piece of about 1 MiB; looking on disturbs nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use tokio::sync::watch;

/// What an operation is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// It has not begun.
    #[default]
    Waiting,
    /// It reads the list of what there is.
    Preparing,
    /// It moves data.
    Data,
    /// It writes or flushes what makes the result valid.
    Finishing,
    /// It is over, one way or the other.
    Ended,
}

impl Phase {
    const ALL: [Phase; 5] = [
        Phase::Waiting,
        Phase::Preparing,
        Phase::Data,
        Phase::Finishing,
        Phase::Ended,
    ];

    /// Its name in logs and the API.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Waiting => "waiting",
            Phase::Preparing => "preparing",
            Phase::Data => "data",
            Phase::Finishing => "finishing",
            Phase::Ended => "ended",
        }
    }
}

/// Progress of one operation.
#[derive(Debug, Default)]
pub struct Progress {
    phase: AtomicU8,
    total: AtomicU64,
    done: AtomicU64,
    stored: AtomicU64,
    skipped: AtomicU64,
}

/// Progress at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// What it is doing.
    pub phase: Phase,
    /// Bytes of volume in all; 0 while unknown.
    pub total: u64,
    /// Bytes of volume that are through.
    pub done: u64,
    /// Bytes of data objects written to the backend (backup) or read from it (restore, verify).
    pub stored: u64,
    /// Bytes of volume that are holes or zeros: not read, or not written.
    pub skipped: u64,
}

impl Progress {
    /// Where it stands now. The numbers are each right, but may be a piece apart.
    pub fn snapshot(&self) -> Snapshot {
        let phase = usize::from(self.phase.load(Ordering::Relaxed));
        Snapshot {
            phase: Phase::ALL.get(phase).copied().unwrap_or_default(),
            total: self.total.load(Ordering::Relaxed),
            done: self.done.load(Ordering::Relaxed),
            stored: self.stored.load(Ordering::Relaxed),
            skipped: self.skipped.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Everything is done once more.
    pub(crate) fn begin_again(&self) {
        for count in [&self.done, &self.stored, &self.skipped] {
            count.store(0, Ordering::Relaxed);
        }
    }

    pub(crate) fn set_total(&self, bytes: u64) {
        self.total.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn add_done(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn add_stored(&self, bytes: u64) {
        self.stored.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn add_skipped(&self, bytes: u64) {
        self.skipped.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// What one attempt at a part of an operation adds to its progress, so that it can be taken back when it was in vain.
#[derive(Debug)]
pub(crate) struct Tally {
    progress: Arc<Progress>,
    done: AtomicU64,
    skipped: AtomicU64,
}

impl Tally {
    pub(crate) fn new(progress: Arc<Progress>) -> Self {
        Tally {
            progress,
            done: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
        }
    }

    pub(crate) fn add_done(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
        self.progress.add_done(bytes);
    }

    pub(crate) fn add_skipped(&self, bytes: u64) {
        self.skipped.fetch_add(bytes, Ordering::Relaxed);
        self.progress.add_skipped(bytes);
    }

    /// The attempt is over: of what it added only so much holds.
    pub(crate) fn settle(self, done: u64, skipped: u64) {
        for (count, added, holds) in [
            (&self.progress.done, self.done, done),
            (&self.progress.skipped, self.skipped, skipped),
        ] {
            count.fetch_sub(added.into_inner().saturating_sub(holds), Ordering::Relaxed);
        }
    }
}

/// Says to an operation that it should stop. Clones belong together.
#[derive(Debug, Clone)]
pub struct Cancel {
    wish: Arc<watch::Sender<bool>>,
    /// Whoever stops that stops this too.
    above: Option<Arc<watch::Sender<bool>>>,
}

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
    }
}

impl Cancel {
    /// Nobody wishes to stop yet.
    pub fn new() -> Self {
        Cancel {
            wish: Arc::new(watch::channel(false).0),
            above: None,
        }
    }

    /// One that also stops when this one does, and can be stopped alone. One level deep.
    #[must_use]
    pub fn child(&self) -> Cancel {
        Cancel {
            wish: Arc::new(watch::channel(false).0),
            above: Some(self.wish.clone()),
        }
    }

    /// Asks everything that holds a clone to stop. For good.
    pub fn cancel(&self) {
        self.wish.send_replace(true);
    }

    /// Whether somebody asked.
    pub fn is_cancelled(&self) -> bool {
        *self.wish.borrow() || self.above.as_ref().is_some_and(|above| *above.borrow())
    }

    /// Whether somebody asked this one alone, and not what it is a child of.
    pub fn is_cancelled_alone(&self) -> bool {
        *self.wish.borrow()
    }

    /// Waits until somebody asks.
    pub async fn cancelled(&self) {
        // The senders live as long as `self`, so waiting cannot fail.
        let (mut own, above) = (self.wish.subscribe(), self.above.as_ref());
        let Some(above) = above else {
            let _ = own.wait_for(|wish| *wish).await;
            return;
        };
        let mut above = above.subscribe();
        tokio::select! {
            _ = own.wait_for(|wish| *wish) => {}
            _ = above.wait_for(|wish| *wish) => {}
        }
    }
}
