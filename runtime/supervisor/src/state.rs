//! A backend's state machine: the one place that decides what a backend is.
//!
//! Rows are phases, columns are inputs, cells are the next phase; `-` means that the input is ignored.
//!
//! |              | Begin        | Initialized | InitializeFailed | ProbeSucceeded | ProbeFailed      | Beat     | Configure | Disable  | Enable  | Stop     |
//! |--------------|--------------|-------------|------------------|----------------|------------------|----------|-----------|----------|---------|----------|
//! | Pending      | Initializing | -           | -                | -              | -                | -        | Pending   | Disabled | -       | Down     |
//! | Initializing | -            | Up          | Down             | -              | -                | -        | Pending ⁵ | Disabled | -       | Down     |
//! | Up           | Up ¹         | Up ²        | Down ²           | Up ³           | Degraded, Down ⁴ | Up       | Up ⁵      | Disabled | -       | Down     |
//! | Degraded     | Degraded ¹   | Up ²        | Down ²           | Up ³           | Degraded, Down ⁴ | Degraded | Degraded ⁵| Disabled | -       | Down     |
//! | Down         | Initializing | -           | -                | -              | -                | -        | Down      | Disabled | -       | Down     |
//! | Disabled     | -            | -           | -                | -              | -                | -        | Disabled  | Disabled | Pending | Disabled |
//!
//! 1. The generation that works serves on while a new one is initialised; ignored when one is already under way.
//! 2. Only while an initialisation is under way.
//! 3. Only while none is.
//! 4. As 3. `Down` when it is the `failure_threshold`-th failure in a row.
//! 5. An initialisation that is under way is given up; the new settings need one of their own.
//!
//! `Up` and `Degraded` read up, as long as the heartbeat is younger than `service_down_time`; all else reads down.
//! Hence: never up before the first success, down at once on a failed initialisation, one success makes it up.
//! The reason (code, message, remedy) stays from the failure to the next success: a backend that is down keeps its
//! reason while it is initialised again. Pure: no clock, no task, no driver; time is passed in.

use std::time::Duration;

use cofferdam_sandbox::Failure;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::settings::Settings;
use crate::status::{Counts, Initialization};

/// Where in its life a backend is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Not tried yet.
    Pending,
    /// Being initialised; it does not work, or not yet.
    Initializing,
    /// It works.
    Up,
    /// The last probes failed, but fewer than `failure_threshold`; it reads up.
    Degraded,
    /// It does not work.
    Down,
    /// Somebody has switched it off; nothing is tried.
    Disabled,
}

impl Phase {
    /// All of them.
    pub const ALL: [Phase; 6] = [
        Phase::Pending,
        Phase::Initializing,
        Phase::Up,
        Phase::Degraded,
        Phase::Down,
        Phase::Disabled,
    ];

    /// The name as it is shown: `initializing`.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Pending => "pending",
            Phase::Initializing => "initializing",
            Phase::Up => "up",
            Phase::Degraded => "degraded",
            Phase::Down => "down",
            Phase::Disabled => "disabled",
        }
    }

    /// Whether a backend in this phase works.
    pub fn works(self) -> bool {
        matches!(self, Phase::Up | Phase::Degraded)
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// One instant on both clocks: the monotonic one decides, the wall clock is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) instant: Instant,
    pub(crate) time: Timestamp,
}

/// Why a backend does not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) remedy: String,
}

impl From<&Failure> for Reason {
    fn from(failure: &Failure) -> Self {
        Reason {
            code: failure.code().to_owned(),
            message: failure.to_string(),
            remedy: failure.remedy(),
        }
    }
}

/// What can happen to a backend.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    /// An initialisation begins.
    Begin,
    /// It succeeded.
    Initialized(Initialization),
    /// It failed.
    InitializeFailed(Reason, Initialization),
    /// A probe succeeded.
    ProbeSucceeded,
    /// A probe failed.
    ProbeFailed(Reason),
    /// A heartbeat is due.
    Beat,
    /// Somebody switches it off, and says why.
    Disable(String),
    /// Somebody switches it on.
    Enable,
    /// Its driver or settings are others from now on.
    Configure(Settings),
    /// The service ends, or the backend is taken out of the configuration.
    Stop(Ending),
}

/// Why a backend is supervised no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The service stops.
    Stopped,
    /// It is in the configuration no longer.
    Removed,
}

impl From<Ending> for Reason {
    fn from(ending: Ending) -> Self {
        let (code, message, remedy) = match ending {
            Ending::Stopped => ("stopped", "the service is stopping", "start it again"),
            Ending::Removed => (
                "removed",
                "it was taken out of the configuration",
                "none needed; what is stored there is untouched",
            ),
        };
        Reason {
            code: code.into(),
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

/// What an input did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    /// It means nothing in this phase; nothing changed.
    Ignored,
    /// It was taken in; the phase is the same.
    Same,
    /// The phase changed.
    Moved(Phase, Phase),
}

/// All that is known about a backend.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    pub(crate) phase: Phase,
    /// Whether an initialisation is under way.
    pub(crate) initializing: bool,
    /// Whether the first initialisation has an outcome, or there will be none.
    pub(crate) settled: bool,
    pub(crate) reason: Option<Reason>,
    pub(crate) since: Timestamp,
    pub(crate) attempt: u64,
    pub(crate) consecutive_failures: u32,
    pub(crate) last_success: Option<Timestamp>,
    pub(crate) last_probe: Option<Timestamp>,
    pub(crate) next_try: Option<Timestamp>,
    pub(crate) heartbeat: Option<Moment>,
    pub(crate) last_initialization: Option<Initialization>,
    pub(crate) counts: Counts,
    pub(crate) service_down_time: Duration,
    failure_threshold: u32,
}

impl State {
    pub(crate) fn new(settings: &Settings, now: Moment) -> Self {
        State {
            phase: Phase::Pending,
            initializing: false,
            settled: false,
            reason: None,
            since: now.time,
            attempt: 0,
            consecutive_failures: 0,
            last_success: None,
            last_probe: None,
            next_try: None,
            heartbeat: None,
            last_initialization: None,
            counts: Counts::default(),
            failure_threshold: settings.failure_threshold,
            service_down_time: settings.service_down_time,
        }
    }

    /// Takes in what happened: the table above.
    pub(crate) fn apply(&mut self, input: Input, now: Moment) -> Applied {
        use Phase::{Degraded, Disabled, Down, Initializing, Pending, Up};
        let from = self.phase;
        let to = match (from, &input) {
            (Pending | Down, Input::Begin) => Initializing,
            (Up | Degraded, Input::Begin) if !self.initializing => from,
            (Initializing, Input::Initialized(_)) => Up,
            (Up | Degraded, Input::Initialized(_)) if self.initializing => Up,
            (Initializing, Input::InitializeFailed(..)) => Down,
            (Up | Degraded, Input::InitializeFailed(..)) if self.initializing => Down,
            (Up | Degraded, Input::ProbeSucceeded) if !self.initializing => Up,
            (Up | Degraded, Input::ProbeFailed(_)) if !self.initializing => {
                if self.consecutive_failures.saturating_add(1) < self.failure_threshold {
                    Degraded
                } else {
                    Down
                }
            }
            (Up | Degraded, Input::Beat) => from,
            (_, Input::Disable(_)) => Disabled,
            (Disabled, Input::Enable) => Pending,
            (Initializing, Input::Configure(_)) => Pending,
            (_, Input::Configure(_)) => from,
            (Disabled, Input::Stop(_)) => Disabled,
            (_, Input::Stop(_)) => Down,
            (Pending | Initializing | Up | Degraded | Down | Disabled, _) => return Applied::Ignored,
        };
        self.record(input, to, now);
        if kind(from) != kind(to) {
            self.since = now.time;
        }
        self.phase = to;
        if from == to {
            return Applied::Same;
        }
        self.counts.transitions += 1;
        Applied::Moved(from, to)
    }

    /// Notes what comes with an input besides the phase.
    fn record(&mut self, input: Input, to: Phase, now: Moment) {
        match input {
            Input::Begin => {
                self.initializing = true;
                self.attempt = if self.phase.works() {
                    1
                } else {
                    self.attempt.saturating_add(1)
                };
            }
            Input::Initialized(initialization) => {
                self.counts.initializations_succeeded += 1;
                self.initializing = false;
                self.settled = true;
                self.last_initialization = Some(initialization);
                self.heartbeat = Some(now);
                self.succeeded(now);
            }
            Input::InitializeFailed(reason, initialization) => {
                self.counts.initializations_failed += 1;
                self.initializing = false;
                self.settled = true;
                self.last_initialization = Some(initialization);
                self.failed(reason);
            }
            Input::ProbeSucceeded => {
                self.counts.probes_succeeded += 1;
                self.last_probe = Some(now.time);
                self.succeeded(now);
            }
            Input::ProbeFailed(reason) => {
                self.counts.probes_failed += 1;
                self.last_probe = Some(now.time);
                self.failed(reason);
                if to == Phase::Down {
                    self.attempt = 0;
                }
            }
            Input::Beat => self.heartbeat = Some(now),
            Input::Disable(why) => {
                let remedy = "enable it when it may be used again".into();
                self.ended(Reason {
                    code: "disabled".into(),
                    message: why,
                    remedy,
                });
            }
            Input::Enable => self.reason = None,
            Input::Configure(settings) => {
                self.failure_threshold = settings.failure_threshold;
                self.service_down_time = settings.service_down_time;
                if std::mem::take(&mut self.initializing) {
                    self.attempt = self.attempt.saturating_sub(1);
                }
            }
            Input::Stop(_) if to == Phase::Disabled => {}
            Input::Stop(ending) => self.ended(ending.into()),
        }
    }

    fn succeeded(&mut self, now: Moment) {
        self.reason = None;
        self.consecutive_failures = 0;
        self.last_success = Some(now.time);
    }

    fn failed(&mut self, reason: Reason) {
        self.reason = Some(reason);
        self.consecutive_failures = self.consecutive_failures.saturating_add(1);
    }

    fn ended(&mut self, reason: Reason) {
        self.reason = Some(reason);
        self.initializing = false;
        self.settled = true;
        self.attempt = 0;
        self.consecutive_failures = 0;
    }

    /// Whether the last heartbeat is too old.
    fn is_silent(&self, now: Instant) -> bool {
        self.heartbeat
            .is_none_or(|beat| now.saturating_duration_since(beat.instant) > self.service_down_time)
    }

    /// Whether it reads up.
    pub(crate) fn is_up(&self, now: Instant) -> bool {
        self.phase.works() && !self.is_silent(now)
    }
}

/// What `since` is about: up, down or disabled.
fn kind(phase: Phase) -> u8 {
    match phase {
        Phase::Pending | Phase::Initializing | Phase::Down => 0,
        Phase::Up | Phase::Degraded => 1,
        Phase::Disabled => 2,
    }
}

#[cfg(test)]
mod tests;
