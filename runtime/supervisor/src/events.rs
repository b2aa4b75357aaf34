//! What happens to backends, as events with stable type names.
//!
//! Each event is logged once and sent into a bounded broadcast channel. Bound: the channel keeps the newest events;
//! a receiver that is slower loses the oldest and is told how many (`RecvError::Lagged`). Sending never waits.

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::broadcast;

use crate::state::Phase;
use crate::status::{Initialization, ServiceState};

/// Something that happened to a backend. Serialized with its type name in `type`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of `Status`")]
pub enum Event {
    /// A try to initialise begins.
    #[serde(rename = "backup.backend.initialize.start")]
    InitializeStart {
        backend: String,
        at: Timestamp,
        attempt: u64,
    },
    /// It succeeded.
    #[serde(rename = "backup.backend.initialize.success")]
    InitializeSuccess {
        backend: String,
        at: Timestamp,
        attempt: u64,
        initialization: Initialization,
    },
    /// It failed.
    #[serde(rename = "backup.backend.initialize.failure")]
    InitializeFailure {
        backend: String,
        at: Timestamp,
        attempt: u64,
        initialization: Initialization,
        code: String,
        message: String,
        remedy: String,
        next_try: Option<Timestamp>,
    },
    /// A probe failed.
    #[serde(rename = "backup.backend.probe.failure")]
    ProbeFailure {
        backend: String,
        at: Timestamp,
        consecutive_failures: u32,
        code: String,
        message: String,
        remedy: String,
    },
    /// The phase changed.
    #[serde(rename = "backup.backend.state")]
    State {
        backend: String,
        at: Timestamp,
        from: Phase,
        to: Phase,
        state: ServiceState,
        code: Option<String>,
        message: Option<String>,
        remedy: Option<String>,
    },
    /// It works.
    #[serde(rename = "backup.backend.heartbeat")]
    Heartbeat { backend: String, at: Timestamp },
}

impl Event {
    /// The stable type name: `backup.backend.state`, …
    pub fn kind(&self) -> &'static str {
        match self {
            Event::InitializeStart { .. } => "backup.backend.initialize.start",
            Event::InitializeSuccess { .. } => "backup.backend.initialize.success",
            Event::InitializeFailure { .. } => "backup.backend.initialize.failure",
            Event::ProbeFailure { .. } => "backup.backend.probe.failure",
            Event::State { .. } => "backup.backend.state",
            Event::Heartbeat { .. } => "backup.backend.heartbeat",
        }
    }

    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Event::InitializeStart { at, .. }
            | Event::InitializeSuccess { at, .. }
            | Event::InitializeFailure { at, .. }
            | Event::ProbeFailure { at, .. }
            | Event::State { at, .. }
            | Event::Heartbeat { at, .. } => *at,
        }
    }

    /// The backend that it happened to.
    pub fn backend(&self) -> &str {
        match self {
            Event::InitializeStart { backend, .. }
            | Event::InitializeSuccess { backend, .. }
            | Event::InitializeFailure { backend, .. }
            | Event::ProbeFailure { backend, .. }
            | Event::State { backend, .. }
            | Event::Heartbeat { backend, .. } => backend,
        }
    }
}

/// Logs an event and sends it to whoever listens.
pub(crate) fn emit(sender: &broadcast::Sender<Event>, event: Event) {
    match &event {
        Event::InitializeStart { backend, attempt, .. } => {
            tracing::debug!(%backend, attempt, "initialising");
        }
        Event::InitializeSuccess {
            backend,
            attempt,
            initialization,
            ..
        } => {
            tracing::info!(%backend, attempt, duration_ms = initialization.duration_ms, "initialised");
        }
        Event::InitializeFailure {
            backend,
            attempt,
            code,
            message,
            remedy,
            next_try,
            ..
        } => {
            let next_try = next_try.map(tracing::field::display);
            tracing::warn!(%backend, attempt, %code, %message, %remedy, next_try, "initialisation failed");
        }
        Event::ProbeFailure {
            backend,
            consecutive_failures,
            code,
            message,
            ..
        } => {
            tracing::warn!(%backend, consecutive_failures, %code, %message, "probe failed");
        }
        Event::State {
            backend,
            from,
            to,
            state,
            code,
            ..
        } => {
            tracing::info!(%backend, %from, phase = %to, %state, code, "state changed");
        }
        Event::Heartbeat { backend, .. } => tracing::trace!(%backend, "heartbeat"),
    }
    // An error only says that nobody listens.
    let _ = sender.send(event);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_serialized_under_its_type_name() {
        let at: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let event = Event::Heartbeat {
            backend: "a".into(),
            at,
        };
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["type"], event.kind());
        assert_eq!(json["at"], "2026-01-02T03:04:05Z");
        let initialization = Initialization {
            duration_ms: 1.5,
            fuel: 2,
            peak_memory: 3,
        };
        let event = Event::InitializeSuccess {
            backend: "a".into(),
            at,
            attempt: 1,
            initialization,
        };
        assert_eq!(serde_json::to_value(&event).unwrap()["type"], event.kind());
    }
}
