//! A backend's status as it is shown: one flat record that says what is so, since when, why, and what comes next.

use std::time::Duration;

use cofferdam_sandbox::Usage;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::state::{Phase, Reason, State};

/// What a service reads (the `state` of Cinder's `os-services`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceState {
    /// Operations may use it.
    Up,
    /// They may not.
    Down,
}

impl std::fmt::Display for ServiceState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ServiceState::Up => "up",
            ServiceState::Down => "down",
        })
    }
}

/// What an initialisation has cost, whether it succeeded or failed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Initialization {
    /// Wall-clock milliseconds to the microsecond, without loading; of one that failed while loading, those of loading.
    pub duration_ms: f64,
    /// Units of fuel.
    pub fuel: u64,
    /// The most bytes of guest memory in one instance.
    pub peak_memory: u64,
}

impl Initialization {
    pub(crate) fn new(duration: Duration, used: Usage) -> Self {
        Initialization {
            duration_ms: (duration.as_secs_f64() * 1e6).round() / 1e3,
            fuel: used.fuel,
            peak_memory: used.peak_memory,
        }
    }
}

/// What has happened to a backend since the service started, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Initialisations that succeeded.
    pub initializations_succeeded: u64,
    /// Initialisations that failed.
    pub initializations_failed: u64,
    /// Probes that succeeded.
    pub probes_succeeded: u64,
    /// Probes that failed.
    pub probes_failed: u64,
    /// Changes of phase.
    pub transitions: u64,
}

/// One backend's status. Times are wall-clock, RFC 3339 when serialized; what is absent has not happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The backend.
    pub name: String,
    /// Where in its life it is.
    pub phase: Phase,
    /// `up` when the phase is `up` or `degraded` and the heartbeat is younger than `service_down_time`.
    pub state: ServiceState,
    /// Stable code of the failure that it is down or degraded for.
    pub code: Option<String>,
    /// What was attempted and what was found.
    pub message: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
    /// Since when it is up, down or disabled. Tries that fail do not move it.
    pub since: Timestamp,
    /// Which try to initialise it is, or was, counted from 1 since it was last up; 0 before the first.
    pub attempt: u64,
    /// Failed initialisations and probes since the last success.
    pub consecutive_failures: u32,
    /// Last successful initialisation or probe.
    pub last_success: Option<Timestamp>,
    /// End of the last probe.
    pub last_probe: Option<Timestamp>,
    /// When it is probed or initialised next; absent while that goes on, and when nothing is planned.
    pub next_try: Option<Timestamp>,
    /// Last heartbeat.
    pub heartbeat: Option<Timestamp>,
    /// Cost of the last initialisation.
    pub last_initialization: Option<Initialization>,
    /// What has happened since the service started.
    pub counts: Counts,
}

impl Status {
    /// The status of a backend that nobody supervises: down, for this reason.
    pub fn down(name: &str, code: &str, message: String, remedy: &str) -> Self {
        Status {
            name: name.to_owned(),
            phase: Phase::Down,
            state: ServiceState::Down,
            code: Some(code.to_owned()),
            message: Some(message),
            remedy: Some(remedy.to_owned()),
            since: Timestamp::UNIX_EPOCH,
            attempt: 0,
            consecutive_failures: 0,
            last_success: None,
            last_probe: None,
            next_try: None,
            heartbeat: None,
            last_initialization: None,
            counts: Counts::default(),
        }
    }

    /// What a state reads at an instant.
    pub(crate) fn of(name: &str, state: &State, now: Instant) -> Self {
        let up = state.is_up(now);
        let reason = if state.phase.works() && !up {
            Some(Reason {
                code: "no-heartbeat".into(),
                message: format!("no heartbeat for more than {:?}", state.service_down_time),
                remedy: "the service is overloaded or stuck: look at its log, restart it".into(),
            })
        } else {
            state.reason.clone()
        };
        let (code, message, remedy) = match reason {
            Some(reason) => (Some(reason.code), Some(reason.message), Some(reason.remedy)),
            None => (None, None, None),
        };
        Status {
            name: name.to_owned(),
            phase: state.phase,
            state: if up { ServiceState::Up } else { ServiceState::Down },
            code,
            message,
            remedy,
            since: state.since,
            attempt: state.attempt,
            consecutive_failures: state.consecutive_failures,
            last_success: state.last_success,
            last_probe: state.last_probe,
            next_try: state.next_try,
            heartbeat: state.heartbeat.map(|beat| beat.time),
            last_initialization: state.last_initialization,
            counts: state.counts,
        }
    }
}
