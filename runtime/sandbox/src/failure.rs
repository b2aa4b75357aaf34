//! Everything that can go wrong with a driver, as values.
//!
//! Rules: a failure says whose fault it was, in which phase, what was found and what to do. Its code is stable (it
//! appears in the API, in metrics and in tests); its text is for people and may get better. Its retry class decides
//! what the supervisor does. Text that came from a guest is cut and cleaned before it is put in here.

use std::time::Duration;

use serde::Serialize;

use crate::contract::DriverError;

/// What the supervisor does after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RetryClass {
    /// It may pass by itself: try again, quickly at first.
    Retry,
    /// Somebody must mend something: try again at the slow interval.
    Repair,
    /// Trying the same again gives the same.
    Final,
}

/// What was going on when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Phase {
    Load,
    Compile,
    Grant,
    Instantiate,
    Describe,
    DoSetup,
    CheckForSetupError,
    Probe,
    PlaceBackup,
    CreateContainer,
    PutObject,
    GetObject,
    StatObject,
    DeleteObject,
    ListObjects,
    ListContainers,
}

impl Phase {
    /// The name as the contract and the logs write it: `do-setup`.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Load => "load",
            Phase::Compile => "compile",
            Phase::Grant => "check-of-settings",
            Phase::Instantiate => "instantiate",
            Phase::Describe => "describe",
            Phase::DoSetup => "do-setup",
            Phase::CheckForSetupError => "check-for-setup-error",
            Phase::Probe => "probe",
            Phase::PlaceBackup => "place-backup",
            Phase::CreateContainer => "create-container",
            Phase::PutObject => "put-object",
            Phase::GetObject => "get-object",
            Phase::StatObject => "stat-object",
            Phase::DeleteObject => "delete-object",
            Phase::ListObjects => "list-objects",
            Phase::ListContainers => "list-containers",
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a driver could not do what it was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    /// The wall clock ran out.
    #[error("{phase} did not return within {limit:?}")]
    WallTimeout {
        /// What was running.
        phase: Phase,
        /// The deadline that passed.
        limit: Duration,
    },
    /// A call that moves data moved too little of it.
    #[error("{phase} moved only {moved} bytes within {span:?}")]
    Stalled {
        /// What was running.
        phase: Phase,
        /// Bytes that moved.
        moved: u64,
        /// In this time.
        span: Duration,
    },
    /// The CPU budget ran out.
    #[error("{phase} used up its fuel of {budget} units")]
    OutOfFuel {
        /// What was running.
        phase: Phase,
        /// Units of fuel that the call was given.
        budget: u64,
    },
    /// The instance wanted more memory than it may have, over all memories and tables together.
    #[error("{phase} wanted {wanted} bytes of memory in all; the limit is {limit}")]
    MemoryDenied {
        /// What was running.
        phase: Phase,
        /// Bytes that the instance would have had.
        wanted: u64,
        /// Bytes that it may have.
        limit: u64,
    },
    /// The guest crashed, or ran into a bound of the sandbox that has no variant of its own.
    #[error("the driver crashed in {phase}: {reason}")]
    Trap {
        /// What was running.
        phase: Phase,
        /// The engine's words.
        reason: String,
    },
    /// The driver itself reported an error.
    #[error("{phase} failed: {}", describe(.error))]
    Driver {
        /// What was running.
        phase: Phase,
        /// The driver's words.
        error: DriverError,
    },
    /// The driver or its settings want what the deployer has not granted.
    #[error("{wanted} is not granted")]
    Denied {
        /// What was wanted: `read-write access to directory "/srv/backup"`.
        wanted: String,
        /// The line to add to the configuration; empty when none would help.
        grant: String,
    },
    /// The file is not a driver component that this host runs.
    #[error("not a usable driver component: {reason}")]
    InvalidComponent {
        /// What was found.
        reason: String,
    },
    /// Compiling took too long.
    #[error("compiling the driver did not end within {limit:?}")]
    CompileTimeout {
        /// The time that a compile may take.
        limit: Duration,
    },
    /// The host could not do its part.
    #[error("{reason}")]
    Host {
        /// What was running.
        phase: Phase,
        /// What was attempted and what was found.
        reason: String,
        /// What to do.
        remedy: String,
    },
}

fn describe(error: &DriverError) -> String {
    match error {
        DriverError::InvalidConfiguration(fault) if fault.option_name.is_empty() => fault.reason.clone(),
        DriverError::InvalidConfiguration(fault) => format!("option {}: {}", fault.option_name, fault.reason),
        DriverError::Throttled(throttle) => throttle.reason.clone(),
        DriverError::Unauthorized(text)
        | DriverError::Unavailable(text)
        | DriverError::NotFound(text)
        | DriverError::AlreadyExists(text)
        | DriverError::OutOfSpace(text)
        | DriverError::Corrupted(text)
        | DriverError::Unsupported(text)
        | DriverError::Failed(text) => text.clone(),
    }
}

impl Failure {
    /// Stable code: `wall-timeout`, `driver.unavailable`, …
    pub fn code(&self) -> &'static str {
        match self {
            Failure::WallTimeout { .. } => "wall-timeout",
            Failure::Stalled { .. } => "stalled",
            Failure::OutOfFuel { .. } => "out-of-fuel",
            Failure::MemoryDenied { .. } => "memory-denied",
            Failure::Trap { .. } => "trap",
            Failure::Denied { .. } => "denied",
            Failure::InvalidComponent { .. } => "invalid-component",
            Failure::CompileTimeout { .. } => "compile-timeout",
            Failure::Host { .. } => "host",
            Failure::Driver { error, .. } => match error {
                DriverError::InvalidConfiguration(_) => "driver.invalid-configuration",
                DriverError::Unauthorized(_) => "driver.unauthorized",
                DriverError::Unavailable(_) => "driver.unavailable",
                DriverError::NotFound(_) => "driver.not-found",
                DriverError::AlreadyExists(_) => "driver.already-exists",
                DriverError::OutOfSpace(_) => "driver.out-of-space",
                DriverError::Throttled(_) => "driver.throttled",
                DriverError::Corrupted(_) => "driver.corrupted",
                DriverError::Unsupported(_) => "driver.unsupported",
                DriverError::Failed(_) => "driver.failed",
            },
        }
    }

    /// What the deployer can do about it.
    pub fn remedy(&self) -> String {
        match self {
            Failure::WallTimeout { phase: Phase::DoSetup | Phase::Instantiate | Phase::CheckForSetupError, .. } => {
                "look at what the driver waits for, or raise backup_initialization_timeout".into()
            }
            Failure::WallTimeout { .. } | Failure::Stalled { .. } => {
                "look at what the driver or its storage waits for".into()
            }
            Failure::OutOfFuel { phase: Phase::DoSetup | Phase::Instantiate | Phase::CheckForSetupError, .. } => {
                "the driver computes without end, or needs a greater backup_initialization_fuel".into()
            }
            Failure::OutOfFuel { .. } => "the driver computes without end; report it to its author".into(),
            Failure::MemoryDenied { .. } => "raise driver_memory_limit, or report it to the driver's author".into(),
            Failure::Trap { .. } => "report it to the driver's author".into(),
            Failure::Denied { grant, .. } if grant.is_empty() => "no grant allows it: use another address or driver".into(),
            Failure::Denied { grant, .. } => format!("to allow it, add {grant}"),
            Failure::InvalidComponent { .. } => {
                "look at it with `cofferdam driver inspect FILE`; build it for the world cofferdam:backup/driver".into()
            }
            Failure::CompileTimeout { .. } => "use a smaller component, or raise driver_compile_timeout".into(),
            Failure::Host { remedy, .. } => remedy.clone(),
            Failure::Driver { error, .. } => match error {
                DriverError::InvalidConfiguration(_) => "mend the backend's section of the configuration".into(),
                DriverError::Unauthorized(_) => "check the credentials and rights at the storage".into(),
                DriverError::Unavailable(_) => "mend the storage; the backend comes up by itself then".into(),
                DriverError::OutOfSpace(_) => "free space on the storage".into(),
                DriverError::Corrupted(_) => "what the storage gave back is not what was stored: check the storage".into(),
                DriverError::NotFound(_)
                | DriverError::AlreadyExists(_)
                | DriverError::Throttled(_)
                | DriverError::Unsupported(_)
                | DriverError::Failed(_) => "see the driver's words".into(),
            },
        }
    }

    /// What to do with a call that failed so.
    pub fn retry_class(&self) -> RetryClass {
        match self {
            Failure::WallTimeout { .. }
            | Failure::Stalled { .. }
            | Failure::Trap { .. }
            | Failure::Host { .. } => RetryClass::Retry,
            Failure::OutOfFuel { .. }
            | Failure::MemoryDenied { .. }
            | Failure::Denied { .. }
            | Failure::InvalidComponent { .. }
            | Failure::CompileTimeout { .. } => RetryClass::Repair,
            Failure::Driver { error, .. } => match error {
                DriverError::InvalidConfiguration(_)
                | DriverError::Unauthorized(_)
                | DriverError::OutOfSpace(_) => RetryClass::Repair,
                DriverError::Unavailable(_) | DriverError::Throttled(_) | DriverError::Failed(_) => {
                    RetryClass::Retry
                }
                DriverError::NotFound(_)
                | DriverError::AlreadyExists(_)
                | DriverError::Corrupted(_)
                | DriverError::Unsupported(_) => RetryClass::Final,
            },
        }
    }

    /// Whether the driver says that the object or container is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(
            self,
            Failure::Driver {
                error: DriverError::NotFound(_),
                ..
            }
        )
    }
}

/// Text from a guest as it may appear in a message: one line, no control characters, at most `limit` characters.
pub(crate) fn clean(text: &str, limit: usize) -> String {
    let mut out: String = text
        .chars()
        .take(limit)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(limit).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{InvalidOption, Throttle};

    /// Every failure, one of each.
    fn all() -> Vec<Failure> {
        let driver = |error| Failure::Driver {
            phase: Phase::DoSetup,
            error,
        };
        let limit = Duration::from_secs(30);
        vec![
            Failure::WallTimeout {
                phase: Phase::DoSetup,
                limit,
            },
            Failure::WallTimeout {
                phase: Phase::PutObject,
                limit,
            },
            Failure::Stalled {
                phase: Phase::PutObject,
                moved: 7,
                span: limit,
            },
            Failure::OutOfFuel {
                phase: Phase::DoSetup,
                budget: 5,
            },
            Failure::OutOfFuel {
                phase: Phase::Probe,
                budget: 5,
            },
            Failure::MemoryDenied {
                phase: Phase::DoSetup,
                wanted: 9,
                limit: 8,
            },
            Failure::Trap {
                phase: Phase::Probe,
                reason: "unreachable".into(),
            },
            Failure::Denied {
                wanted: "read-write access to directory \"/srv\" (option p)".into(),
                grant: "directories = [{ path = \"/srv\", access = \"read-write\" }] to the backend's grants"
                    .into(),
            },
            Failure::InvalidComponent {
                reason: "the file is a core module, not a component".into(),
            },
            Failure::CompileTimeout { limit },
            Failure::Host {
                phase: Phase::Grant,
                reason: "directory /srv cannot be opened".into(),
                remedy: "make it".into(),
            },
            driver(DriverError::InvalidConfiguration(InvalidOption {
                option_name: "o".into(),
                reason: "is wrong".into(),
            })),
            driver(DriverError::InvalidConfiguration(InvalidOption {
                option_name: String::new(),
                reason: "a and b exclude one another".into(),
            })),
            driver(DriverError::Unauthorized("no right".into())),
            driver(DriverError::Unavailable("no answer".into())),
            driver(DriverError::NotFound("no object".into())),
            driver(DriverError::AlreadyExists("an object".into())),
            driver(DriverError::OutOfSpace("full".into())),
            driver(DriverError::Throttled(Throttle {
                retry_after: Some(5),
                reason: "slow down".into(),
            })),
            driver(DriverError::Corrupted("other bytes".into())),
            driver(DriverError::Unsupported("cannot".into())),
            driver(DriverError::Failed("broke".into())),
        ]
    }

    #[test]
    fn failures_read_as_they_did() {
        let text: String = all()
            .iter()
            .map(|failure| {
                format!(
                    "{} ({:?})\n  {failure}\n  -> {}\n",
                    failure.code(),
                    failure.retry_class(),
                    failure.remedy()
                )
            })
            .collect();
        let kept = include_str!("failure.txt");
        assert!(
            text == kept,
            "src/failure.txt is not what failures read like now:\n{text}"
        );
    }
}
