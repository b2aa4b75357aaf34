//! Operations that run in the background: who runs, how far it is, how it ended.
//!
//! Bound: the last [`KEPT`] ended operations are remembered, and of all that ever ended the sums ([`totals`]). An operation ends in exactly one state, also when its task
//! panics or the service stops: the guard that is dropped with the task records the failure.

pub(crate) mod totals;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cofferdam_catalog::{BackupId, Fence};
use cofferdam_transfer::{Cancel, Control, Progress, Resources, Snapshot};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::error::ManagerError;
use totals::{Ended, OperationTotals};

/// Ended operations that are remembered.
const KEPT: usize = 1000;

/// Identifies one operation in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OperationId(pub Uuid);

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OperationKind {
    /// Makes a backup.
    Create,
    /// Restores one.
    Restore,
    /// Reads one and checks every byte.
    Verify,
    /// Deletes one.
    Delete,
}

impl OperationKind {
    /// All of them.
    pub const ALL: [OperationKind; 4] = [
        OperationKind::Create,
        OperationKind::Restore,
        OperationKind::Verify,
        OperationKind::Delete,
    ];

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            OperationKind::Create => "create",
            OperationKind::Restore => "restore",
            OperationKind::Verify => "verify",
            OperationKind::Delete => "delete",
        }
    }
}

/// How far an operation is.
#[derive(Debug, Clone)]
pub enum OperationState {
    /// It runs.
    Running,
    /// It ended well; one sentence for people.
    Succeeded(String),
    /// It failed.
    Failed(ManagerError),
}

/// What an operation is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The backend that holds the backup.
    pub backend: String,
    /// The volume that the backup is of.
    pub volume: String,
}

/// An operation as it stands now.
#[derive(Debug, Clone)]
pub struct OperationStatus {
    /// Its id.
    pub id: OperationId,
    /// What it does.
    pub kind: OperationKind,
    /// On which backup.
    pub backup: BackupId,
    /// How far it is.
    pub state: OperationState,
    /// In bytes.
    pub progress: Snapshot,
    /// When it was taken on.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// What it is about, once somebody has looked it up.
    pub about: Option<About>,
}

struct Entry {
    kind: OperationKind,
    backup: BackupId,
    state: OperationState,
    progress: Arc<Progress>,
    cancel: Cancel,
    fence: Option<Fence>,
    started: Timestamp,
    begun: Instant,
    ended: Option<Timestamp>,
    about: Option<About>,
}

impl Entry {
    fn runs_on(&self, backup: BackupId) -> bool {
        self.backup == backup && self.ended.is_none()
    }

    fn status(&self, id: OperationId) -> OperationStatus {
        OperationStatus {
            id,
            kind: self.kind,
            backup: self.backup,
            state: self.state.clone(),
            progress: self.progress.snapshot(),
            started: self.started,
            ended: self.ended,
            about: self.about.clone(),
        }
    }
}

#[derive(Default)]
struct Table {
    entries: HashMap<OperationId, Entry>,
    ended: VecDeque<OperationId>,
    running: usize,
    sums: BTreeMap<OperationKind, Ended>,
    /// Backups that were made and that nobody has asked for yet; `None`: too many.
    made: Option<Vec<BackupId>>,
}

/// All operations of the process.
pub(crate) struct Operations {
    table: Mutex<Table>,
    running: watch::Sender<usize>,
    pub(crate) cancel: Cancel,
    resources: Arc<Resources>,
}

/// What an operation's task holds.
pub(crate) struct Running {
    operations: Arc<Operations>,
    pub(crate) id: OperationId,
    pub(crate) backup: BackupId,
    /// Of its claim on the backup, if it has one.
    pub(crate) fence: Option<Fence>,
    pub(crate) control: Control,
    ended: bool,
}

impl Operations {
    pub(crate) fn new(resources: Resources) -> Arc<Self> {
        Arc::new(Operations {
            table: Mutex::default(),
            running: watch::channel(0).0,
            cancel: Cancel::new(),
            resources: Arc::new(resources),
        })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new operation; what is returned goes into its task.
    pub(crate) fn begin(
        self: &Arc<Self>,
        kind: OperationKind,
        backup: BackupId,
        fence: Option<Fence>,
    ) -> Running {
        let (id, progress) = (OperationId(Uuid::new_v4()), Arc::new(Progress::default()));
        let cancel = self.cancel.child();
        let mut table = self.table();
        let entry = Entry {
            kind,
            backup,
            state: OperationState::Running,
            progress: progress.clone(),
            cancel: cancel.clone(),
            fence,
            started: Timestamp::now(),
            begun: Instant::now(),
            ended: None,
            about: None,
        };
        table.entries.insert(id, entry);
        table.running += 1;
        self.running.send_replace(table.running);
        Running {
            operations: self.clone(),
            id,
            backup,
            fence,
            control: Control {
                progress,
                cancel,
                resources: self.resources.clone(),
            },
            ended: false,
        }
    }

    pub(crate) fn status(&self, id: OperationId) -> Result<OperationStatus, ManagerError> {
        let table = self.table();
        let entry = table
            .entries
            .get(&id)
            .ok_or_else(|| ManagerError::UnknownOperation(id.0.to_string()))?;
        Ok(entry.status(id))
    }

    /// Those that run, oldest first, and behind them at most so many of those that have ended, newest first.
    pub(crate) fn list(&self, ended: usize) -> Vec<OperationStatus> {
        let table = self.table();
        let status = |id: &OperationId| Some(table.entries.get(id)?.status(*id));
        let running = table.entries.iter().filter(|(_, entry)| entry.ended.is_none());
        let mut all: Vec<_> = running.map(|(id, entry)| entry.status(*id)).collect();
        all.sort_by_key(|operation| (operation.started, operation.id.0));
        all.extend(table.ended.iter().rev().take(ended).filter_map(status));
        all
    }

    /// Remembers what an operation is about.
    pub(crate) fn describe(&self, id: OperationId, about: About) {
        if let Some(entry) = self.table().entries.get_mut(&id) {
            entry.about = Some(about);
        }
    }

    /// What all operations have come to, by kind.
    pub(crate) fn totals(&self) -> Vec<(OperationKind, OperationTotals)> {
        let mut table = self.table();
        let table = &mut *table;
        let of = |kind| {
            let entries = table.entries.values();
            let running = entries.filter(|entry| entry.kind == kind && entry.ended.is_none());
            let running: Vec<_> = running.map(|entry| entry.progress.snapshot()).collect();
            (
                kind,
                table
                    .sums
                    .entry(kind)
                    .or_default()
                    .totals(&running, kind != OperationKind::Delete),
            )
        };
        OperationKind::ALL.map(of).into()
    }

    /// The backups that were made since this was asked last; `None` when they were too many to remember, and at first.
    pub(crate) fn made(&self) -> Option<Vec<BackupId>> {
        self.table().made.replace(Vec::new())
    }

    /// How many run.
    pub(crate) fn running(&self) -> usize {
        self.table().running
    }

    /// The backups that running operations own.
    pub(crate) fn owned(&self) -> Vec<(BackupId, Fence, Cancel)> {
        let table = self.table();
        let running = table.entries.values().filter(|entry| entry.ended.is_none());
        running
            .filter_map(|entry| Some((entry.backup, entry.fence?, entry.cancel.clone())))
            .collect()
    }

    /// How far the operation is that runs on a backup.
    pub(crate) fn progress_of(&self, backup: BackupId) -> Option<Snapshot> {
        let table = self.table();
        let running = table.entries.values().find(|entry| entry.runs_on(backup));
        running.map(|entry| entry.progress.snapshot())
    }

    /// Tells what runs on a backup to stop, but for deletes, and waits until it has.
    pub(crate) async fn stop(&self, backup: BackupId) {
        let mut running = self.running.subscribe();
        let stops = |entry: &Entry| entry.runs_on(backup) && entry.kind != OperationKind::Delete;
        for entry in self.table().entries.values().filter(|entry| stops(entry)) {
            entry.cancel.cancel();
        }
        // The number of those that run changes whenever one ends. Not looked at within the channel, whose lock is taken
        // under the table's.
        while self.table().entries.values().any(&stops) {
            if running.changed().await.is_err() {
                return;
            }
        }
    }

    /// Waits until no operation runs.
    pub(crate) async fn idle(&self) {
        let _ = self.running.subscribe().wait_for(|running| *running == 0).await;
    }

    fn end(&self, id: OperationId, state: OperationState) {
        let mut table = self.table();
        let table = &mut *table;
        if let Some(entry) = table.entries.get_mut(&id) {
            let failure = match &state {
                OperationState::Failed(error) => Some(error.code()),
                OperationState::Running | OperationState::Succeeded(_) => None,
            };
            let sums = table.sums.entry(entry.kind).or_default();
            sums.take_in(failure, &entry.progress.snapshot(), entry.begun.elapsed());
            if failure.is_none() && entry.kind == OperationKind::Create {
                table.made = table.made.take().filter(|made| made.len() < KEPT);
                table.made.iter_mut().for_each(|made| made.push(entry.backup));
            }
            (entry.state, entry.ended) = (state, Some(Timestamp::now()));
        }
        table.ended.push_back(id);
        if table.ended.len() > KEPT
            && let Some(oldest) = table.ended.pop_front()
        {
            table.entries.remove(&oldest);
        }
        table.running = table.running.saturating_sub(1);
        self.running.send_replace(table.running);
    }
}

impl Running {
    /// Records how it ended.
    pub(crate) fn end(mut self, result: Result<String, ManagerError>) {
        self.ended = true;
        let state = match result {
            Ok(summary) => OperationState::Succeeded(summary),
            Err(error) => OperationState::Failed(error),
        };
        self.operations.end(self.id, state);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            self.operations
                .end(self.id, OperationState::Failed(ManagerError::Stopping));
        }
    }
}
