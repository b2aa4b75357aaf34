//! Keeps the services' records and the history of events in the catalog, so that any reader of the database can tell
//! who is up, since when and why.
//!
//! Events that come together are written together: one transaction, and so one fsync, per [`GATHER`] at most, and for
//! heartbeats alone per [`GATHER_BEATS`]. When
//! events were lost, all services are written and the history says how many are missing. A write that fails is logged
//! and its services are written again with the next. Nothing waits for it but the service's end.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use cofferdam_catalog::{EventRecord, Repository as _, ServiceRecord};
use cofferdam_supervisor::Event;
use jiff::Timestamp;
use tokio::sync::broadcast::{Receiver, error::RecvError, error::TryRecvError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::manager::Manager;

/// How long events are gathered before they are written.
const GATHER: Duration = Duration::from_millis(20);

/// How long heartbeats are gathered.
const GATHER_BEATS: Duration = Duration::from_millis(500);

/// Longest wait for the last write when the service ends.
const FINISH: Duration = Duration::from_secs(10);

/// Type of the entry that stands for events which are missing.
const LOST: &str = "backup.events.lost";

/// The recorder's task.
pub(crate) struct Recorder {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// What is to be written next, and when.
#[derive(Default)]
struct Batch {
    services: BTreeSet<String>,
    events: Vec<Event>,
    lost: u64,
    due: Option<Instant>,
}

impl Batch {
    fn take_in(&mut self, event: Event) {
        self.services.insert(event.backend().to_owned());
        if matches!(event, Event::Heartbeat { .. }) {
            self.write_within(GATHER_BEATS);
        } else {
            self.events.push(event);
            self.write_within(GATHER);
        }
    }

    fn lose(&mut self, lost: u64) {
        self.lost += lost;
        self.write_within(GATHER);
    }

    fn write_within(&mut self, span: Duration) {
        let at = Instant::now() + span;
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// All that waits in the channel.
    fn drain(&mut self, events: &mut Receiver<Event>) {
        loop {
            match events.try_recv() {
                Ok(event) => self.take_in(event),
                Err(TryRecvError::Lagged(lost)) => self.lose(lost),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }
}

impl Recorder {
    /// Listens from now on.
    pub(crate) fn start(manager: &Arc<Manager>) -> Self {
        let (events, weak) = (manager.supervisor.events(), Arc::downgrade(manager));
        let (stop, stopped) = oneshot::channel();
        Recorder {
            stop,
            task: tokio::spawn(record(weak, events, stopped)),
        }
    }

    /// Writes what is left, and ends.
    pub(crate) async fn finish(self) {
        let _ = self.stop.send(());
        if tokio::time::timeout(FINISH, self.task).await.is_err() {
            tracing::warn!("the last events could not be recorded in time");
        }
    }
}

async fn record(manager: Weak<Manager>, mut events: Receiver<Event>, mut stopped: oneshot::Receiver<()>) {
    let mut batch = Batch::default();
    let mut stopping = false;
    while !stopping {
        let due = batch.due.unwrap_or_else(Instant::now);
        tokio::select! {
            event = events.recv() => {
                match event {
                    Ok(event) => batch.take_in(event),
                    Err(RecvError::Lagged(lost)) => batch.lose(lost),
                    Err(RecvError::Closed) => stopping = true,
                }
                continue;
            }
            () = sleep_until(due), if batch.due.is_some() => {}
            _ = &mut stopped => stopping = true,
        }
        batch.drain(&mut events);
        let Some(manager) = manager.upgrade() else { return };
        if batch.due.take().is_some() {
            write(&manager, &mut batch).await;
        }
    }
}

/// Writes the batch and empties it; when that fails the services stay in it.
async fn write(manager: &Manager, batch: &mut Batch) {
    let host = &manager.options.host;
    let mut entries: Vec<_> = std::mem::take(&mut batch.events)
        .iter()
        .map(|event| entry(host, event.backend(), event.kind(), event.at(), event))
        .collect();
    let lost = std::mem::take(&mut batch.lost);
    if lost > 0 {
        tracing::warn!(lost, "events came faster than they could be recorded");
        batch.services.extend(manager.backends().order.iter().cloned());
        let payload = serde_json::json!({ "lost": lost });
        entries.push(entry(host, "", LOST, Timestamp::now(), &payload));
    }
    let services: Vec<_> = batch.services.iter().map(|name| service(manager, name)).collect();
    let history = manager.options.event_history;
    match manager.catalog.record(&services, &entries, history).await {
        Ok(()) => batch.services.clear(),
        Err(error) => {
            tracing::warn!(%error, events = entries.len(), "services and events cannot be recorded");
            batch.write_within(GATHER_BEATS);
        }
    }
}

fn entry(
    host: &str,
    backend: &str,
    kind: &str,
    at: Timestamp,
    payload: &impl serde::Serialize,
) -> EventRecord {
    EventRecord {
        number: 0,
        host: host.to_owned(),
        backend: backend.to_owned(),
        kind: kind.to_owned(),
        at,
        // These values serialize without fail: strings, numbers and times.
        payload: serde_json::to_string(payload).unwrap_or_default(),
    }
}

fn service(manager: &Manager, name: &str) -> ServiceRecord {
    let host = manager.options.host.clone();
    match manager.service(name) {
        Ok(service) => ServiceRecord {
            name: name.to_owned(),
            host,
            removed: false,
            heartbeat: service.status.heartbeat,
            status: serde_json::to_string(&service).unwrap_or_default(),
            report_count: 0,
            updated_at: Timestamp::now(),
        },
        Err(_) => ServiceRecord {
            name: name.to_owned(),
            host,
            removed: true,
            heartbeat: None,
            status: String::new(),
            report_count: 0,
            updated_at: Timestamp::now(),
        },
    }
}
