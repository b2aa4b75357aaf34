//! What is counted for metrics, beside what the supervisor counts itself: how long initialisations took, what failed with
//! which code, and when each backend's newest backup was made.
//!
//! A task listens to the supervisor's events and nothing waits for it. Bound: per backend two histograms and a count per
//! code, and the codes are fixed by the program. Cost: a look adds one short lock, and reads the catalog only for backups
//! that were made since the last look, at the first one for all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cofferdam_catalog::{BackupColumn, BackupQuery, BackupRecord, BackupStatus, Filter, Repository as _};
use cofferdam_supervisor::Event;
use jiff::Timestamp;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::error::ManagerError;
use crate::histogram::Histogram;
use crate::manager::Manager;
use crate::operations::totals::OperationTotals;
use crate::operations::{About, OperationKind, OperationStatus};

/// Seconds that an initialisation takes: from a driver on this machine to its default deadline, and above.
const INITIALIZATION: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0, 60.0,
];

/// What was seen of one backend since the service started.
#[derive(Debug, Clone)]
pub struct BackendSeen {
    /// Seconds of initialisations that succeeded.
    pub succeeded: Histogram,
    /// Seconds of those that failed.
    pub failed: Histogram,
    /// Failed initialisations and probes, by code.
    pub failures: BTreeMap<String, u64>,
}

impl Default for BackendSeen {
    fn default() -> Self {
        BackendSeen {
            succeeded: Histogram::new(INITIALIZATION),
            failed: Histogram::new(INITIALIZATION),
            failures: BTreeMap::new(),
        }
    }
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    backends: Mutex<BTreeMap<String, BackendSeen>>,
    newest: tokio::sync::Mutex<Newest>,
}

/// When each backend's newest backup was begun.
#[derive(Debug, Default)]
struct Newest {
    at: BTreeMap<String, Timestamp>,
    /// Whether all records have been looked at, to the end.
    whole: bool,
}

impl Observed {
    /// Listens until there is no one left to listen to.
    pub(crate) fn listen(self: &Arc<Self>, mut events: Receiver<Event>) {
        let observed = self.clone();
        tokio::spawn(async move {
            loop {
                match events.recv().await {
                    Ok(event) => observed.take_in(&event),
                    Err(RecvError::Lagged(lost)) => tracing::warn!(lost, "metrics miss some events"),
                    Err(RecvError::Closed) => return,
                }
            }
        });
    }

    fn take_in(&self, event: &Event) {
        let mut backends = self.backends.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = backends.entry(event.backend().to_owned()).or_default();
        match event {
            Event::InitializeSuccess { initialization, .. } => {
                seen.succeeded.observe(initialization.duration_ms / 1e3);
            }
            Event::InitializeFailure {
                initialization, code, ..
            } => {
                seen.failed.observe(initialization.duration_ms / 1e3);
                *seen.failures.entry(code.clone()).or_default() += 1;
            }
            Event::ProbeFailure { code, .. } => *seen.failures.entry(code.clone()).or_default() += 1,
            _ => {}
        }
    }
}

impl Manager {
    /// What was seen of a backend.
    pub fn seen(&self, backend: &str) -> BackendSeen {
        let backends = self
            .observed
            .backends
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        backends.get(backend).cloned().unwrap_or_default()
    }

    /// How long the last probe of a backend took; of the driver that it has now.
    pub fn last_probe(&self, backend: &str) -> Option<Duration> {
        self.backends().drivers.get(backend)?.last_probe()
    }

    /// What all operations of this process have come to.
    pub fn operation_totals(&self) -> Vec<(OperationKind, OperationTotals)> {
        self.operations.totals()
    }

    /// Operations that run, oldest first, and behind them at most so many of those that have ended, newest first.
    pub async fn operations(&self, ended: usize) -> Vec<OperationStatus> {
        let mut all = self.operations.list(ended);
        for operation in &mut all {
            self.describe(operation).await;
        }
        all
    }

    /// Looks up what an operation is about, unless somebody has.
    pub async fn describe(&self, operation: &mut OperationStatus) {
        if operation.about.is_none()
            && let Ok(record) = self.catalog.backup(operation.backup).await
        {
            let about = About {
                backend: record.backend,
                volume: record.volume_path,
            };
            self.operations.describe(operation.id, about.clone());
            operation.about = Some(about);
        }
    }

    /// When the newest backup that was made on each backend was begun: what is older than that is safe.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn newest_backups(&self) -> Result<BTreeMap<String, Timestamp>, ManagerError> {
        let mut newest = self.observed.newest.lock().await;
        let made = self.operations.made().filter(|_| newest.whole);
        // Whoever asked may go away in the middle.
        newest.whole = false;
        match made {
            Some(made) => {
                for id in made {
                    // One that is gone already was the newest for a short time only.
                    if let Ok(record) = self.catalog.backup(id).await {
                        take_in(&mut newest.at, &record);
                    }
                }
            }
            None => {
                for name in &self.backends().order {
                    let query = BackupQuery {
                        filters: vec![
                            Filter::Equal(BackupColumn::Backend, name.clone()),
                            Filter::Equal(BackupColumn::Status, BackupStatus::Available.as_str().into()),
                        ],
                        limit: 1,
                        ..BackupQuery::default()
                    };
                    let found = self.catalog.list_backups(&query).await?;
                    found.iter().for_each(|record| take_in(&mut newest.at, record));
                }
            }
        }
        newest.whole = true;
        Ok(newest.at.clone())
    }

    /// Whether the catalog answers.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn check_catalog(&self) -> Result<(), ManagerError> {
        let query = BackupQuery {
            limit: 1,
            ..BackupQuery::default()
        };
        self.backups(&query).await.map(drop)
    }
}

fn take_in(newest: &mut BTreeMap<String, Timestamp>, record: &BackupRecord) {
    if record.status == BackupStatus::Available {
        let at = newest.entry(record.backend.clone()).or_insert(record.created_at);
        *at = record.created_at.max(*at);
    }
}
