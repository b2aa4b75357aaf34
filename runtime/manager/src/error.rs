//! What the manager refuses, and why: with a stable code, what was found, and what to do.

use cofferdam_catalog::{CatalogError, Subject};
use cofferdam_sandbox::Failure;
use cofferdam_supervisor::NotUp;
use cofferdam_transfer::TransferError;

/// What an error means to whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Nothing of that name or id.
    NotFound,
    /// The request itself is wrong.
    Invalid,
    /// Not in the present state.
    Conflict,
    /// The project's quota is used up.
    OverQuota,
    /// The backend is down.
    Unavailable,
    /// Something broke.
    Internal,
}

/// An error of the manager.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ManagerError {
    /// No backend of that name.
    #[error("there is no backend {name:?}; configured are {}", .known.join(", "))]
    UnknownBackend {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The backend is down.
    #[error("backend {name} is down: {reason}")]
    BackendDown {
        /// Its name.
        name: String,
        /// Code and message of its state.
        reason: String,
    },
    /// A backend takes no new backups, because an administrator has said so.
    #[error("backend {name} is disabled: {reason}")]
    Disabled {
        /// Its name.
        name: String,
        /// What the administrator gave as the reason.
        reason: String,
    },
    /// No backend can take a backup.
    #[error("no backend can take the backup: {}", .reasons.iter().map(|(name, why)| format!("{name} {why}")).collect::<Vec<_>>().join("; "))]
    NoBackend {
        /// Each backend, and what hinders it.
        reasons: Vec<(String, String)>,
    },
    /// No backup of that id.
    #[error("there is no backup {0}")]
    UnknownBackup(String),
    /// Nothing of that kind and id.
    #[error("there is no {what} {id}")]
    Absent {
        /// `volume`, `snapshot` or `message`.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// No operation of that id in this process.
    #[error("there is no operation {0}; operations are forgotten when the service stops")]
    UnknownOperation(String),
    /// Not in its present state.
    #[error("{what} {id} is {status}; {wanted}")]
    WrongStatus {
        /// `backup`, `volume` or `snapshot`.
        what: &'static str,
        /// Its id.
        id: String,
        /// Its status.
        status: String,
        /// What it would have to be.
        wanted: String,
    },
    /// The project would have more than it may.
    #[error("{message}")]
    OverQuota {
        /// What is limited, to how much, and what is used.
        message: String,
        /// Cinder's name of what is limited.
        resource: &'static str,
        /// The limit.
        limit: i64,
    },
    /// The file of a volume cannot be handled.
    #[error("{message}")]
    Volume {
        /// What was found.
        message: String,
        /// What to do.
        remedy: String,
    },
    /// The request is wrong.
    #[error("{message}")]
    Invalid {
        /// What is wrong.
        message: String,
        /// What would be right.
        remedy: String,
    },
    /// The transfer failed.
    #[error("{message}")]
    Transfer {
        /// The transfer's code.
        code: &'static str,
        /// Its message.
        message: String,
        /// Its remedy.
        remedy: String,
    },
    /// The driver failed.
    #[error(transparent)]
    Driver(#[from] Failure),
    /// The catalog failed.
    #[error("{0}")]
    Catalog(String),
    /// The service cannot run here.
    #[error("{message}")]
    Service {
        /// What was found.
        message: String,
        /// What to do.
        remedy: String,
    },
    /// The service is stopping.
    #[error("the service is stopping")]
    Stopping,
}

impl ManagerError {
    /// What it means to whoever asked.
    pub fn kind(&self) -> ErrorKind {
        match self {
            ManagerError::UnknownBackend { .. }
            | ManagerError::UnknownBackup(_)
            | ManagerError::Absent { .. }
            | ManagerError::UnknownOperation(_) => ErrorKind::NotFound,
            ManagerError::Invalid { .. }
            | ManagerError::Transfer {
                code: "incremental-impossible",
                ..
            } => ErrorKind::Invalid,
            ManagerError::OverQuota { .. } => ErrorKind::OverQuota,
            ManagerError::WrongStatus { .. } | ManagerError::Disabled { .. } => ErrorKind::Conflict,
            ManagerError::BackendDown { .. } | ManagerError::NoBackend { .. } | ManagerError::Stopping => {
                ErrorKind::Unavailable
            }
            ManagerError::Transfer { .. }
            | ManagerError::Volume { .. }
            | ManagerError::Driver(_)
            | ManagerError::Catalog(_)
            | ManagerError::Service { .. } => ErrorKind::Internal,
        }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            ManagerError::UnknownBackend { .. }
            | ManagerError::UnknownBackup(_)
            | ManagerError::Absent { .. }
            | ManagerError::UnknownOperation(_) => "not-found",
            ManagerError::BackendDown { .. } | ManagerError::NoBackend { .. } => "backend-down",
            ManagerError::Disabled { .. } => "disabled",
            ManagerError::OverQuota { .. } => "over-quota",
            ManagerError::Volume { .. } => "volume",
            ManagerError::WrongStatus { .. } => "conflict",
            ManagerError::Invalid { .. } => "invalid",
            ManagerError::Transfer { code, .. } => code,
            ManagerError::Driver(failure) => failure.code(),
            ManagerError::Catalog(_) => "catalog",
            ManagerError::Service { .. } => "service",
            ManagerError::Stopping => "stopping",
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            ManagerError::UnknownBackend { .. } => "use one of these, or configure it".into(),
            ManagerError::UnknownBackup(_) => "`cofferdam backup list` shows all".into(),
            ManagerError::Absent { what, .. } => format!("list the {what}s that there are"),
            ManagerError::Disabled { name, .. } => {
                format!("name another backend, or enable it: `cofferdam service enable {name}`")
            }
            ManagerError::NoBackend { .. } => {
                "mend or enable one of them; `cofferdam service list` tells more".into()
            }
            ManagerError::OverQuota { .. } => "delete what is not needed, or have the quota raised".into(),
            ManagerError::UnknownOperation(_) => {
                "look at the backup itself: `cofferdam backup show ID`".into()
            }
            ManagerError::BackendDown { name, .. } => {
                format!("`cofferdam service show {name}` says what to do; it comes up by itself when mended")
            }
            ManagerError::WrongStatus { .. } => {
                "do what it says, or wait for the running operation; `cofferdam backup show ID` tells more"
                    .into()
            }
            ManagerError::Invalid { remedy, .. }
            | ManagerError::Transfer { remedy, .. }
            | ManagerError::Volume { remedy, .. }
            | ManagerError::Service { remedy, .. } => remedy.clone(),
            ManagerError::Driver(failure) => failure.remedy(),
            ManagerError::Catalog(_) => "check the file system of state_path; nothing was changed. A catalog that is lost or damaged is moved away \
                 and made anew from storage: `cofferdam catalog rebuild`".into(),
            ManagerError::Stopping => "ask again when it runs".into(),
        }
    }
}

impl From<TransferError> for ManagerError {
    fn from(error: TransferError) -> Self {
        ManagerError::Transfer {
            code: error.code(),
            message: error.to_string(),
            remedy: error.remedy(),
        }
    }
}

/// Kind and id of what an error is about.
fn parts(subject: Subject) -> (&'static str, String) {
    match subject {
        Subject::Backup(id) => ("backup", id.to_string()),
        Subject::Volume(id) => ("volume", id.to_string()),
        Subject::Snapshot(id) => ("snapshot", id.to_string()),
        Subject::Message(id) => ("message", id.to_string()),
    }
}

/// There is no such thing, or not for whoever asks.
impl From<Subject> for ManagerError {
    fn from(subject: Subject) -> Self {
        match parts(subject) {
            ("backup", id) => ManagerError::UnknownBackup(id),
            (what, id) => ManagerError::Absent { what, id },
        }
    }
}

impl From<CatalogError> for ManagerError {
    fn from(error: CatalogError) -> Self {
        let wrong = |subject, status: &str, wanted: &str| {
            let (what, id) = parts(subject);
            ManagerError::WrongStatus {
                what,
                id,
                status: status.into(),
                wanted: wanted.into(),
            }
        };
        match error {
            CatalogError::NotFound(subject) => subject.into(),
            CatalogError::Exists(subject) => wrong(
                subject,
                "recorded already",
                "an id is never used again, not even that of a deleted one",
            ),
            CatalogError::HasDependents(subject @ Subject::Volume(_)) => {
                wrong(subject, "what snapshots build on", "delete those first")
            }
            CatalogError::HasDependents(subject) => {
                wrong(subject, "what incremental backups build on", "delete those first")
            }
            CatalogError::Conflict { subject, found } => wrong(subject, found, "it changed meanwhile"),
            CatalogError::Claimed { subject, until, .. } => wrong(
                subject,
                "in use by another process",
                &format!("its claim ends at {until:.0} unless it is renewed"),
            ),
            CatalogError::Fenced(subject) => wrong(
                subject,
                "no longer this operation's",
                "another process took it over",
            ),
            CatalogError::OverQuota {
                resource,
                limit,
                used,
                asked,
            } => ManagerError::OverQuota {
                message: format!(
                    "Maximum number of {resource} allowed ({limit}) exceeded: {used} are used, {asked} more are asked for"
                ),
                resource: resource.as_str(),
                limit,
            },
            CatalogError::Invalid(message) => ManagerError::Invalid {
                message,
                remedy: "ask for something else".into(),
            },
            other => ManagerError::Catalog(other.to_string()),
        }
    }
}

impl From<NotUp> for ManagerError {
    fn from(not_up: NotUp) -> Self {
        let status = not_up.status;
        let reason = match (status.code, status.message) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code,
            _ => format!("it is {} and has not been up yet", status.phase),
        };
        ManagerError::BackendDown {
            name: status.name,
            reason,
        }
    }
}
