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
    /// No backup of that id.
    #[error("there is no backup {0}")]
    UnknownBackup(String),
    /// No operation of that id in this process.
    #[error("there is no operation {0}; operations are forgotten when the service stops")]
    UnknownOperation(String),
    /// Not in the present state of a backup or of something else.
    #[error("{id} is {status}; {wanted}")]
    WrongStatus {
        /// What it is and its id.
        id: String,
        /// Its status.
        status: String,
        /// What it would have to be.
        wanted: String,
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
            | ManagerError::UnknownOperation(_) => ErrorKind::NotFound,
            ManagerError::Invalid { .. } => ErrorKind::Invalid,
            ManagerError::WrongStatus { .. } => ErrorKind::Conflict,
            ManagerError::BackendDown { .. } | ManagerError::Stopping => ErrorKind::Unavailable,
            ManagerError::Transfer { .. }
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
            | ManagerError::UnknownOperation(_) => "not-found",
            ManagerError::BackendDown { .. } => "backend-down",
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

impl From<CatalogError> for ManagerError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::NotFound(Subject::Backup(id)) => ManagerError::UnknownBackup(id.to_string()),
            CatalogError::Exists(id) => ManagerError::WrongStatus {
                id: id.to_string(),
                status: "recorded already".into(),
                wanted: "an id is never used again, not even that of a deleted backup".into(),
            },
            CatalogError::HasDependents(id) => ManagerError::WrongStatus {
                id: id.to_string(),
                status: "what incremental backups build on".into(),
                wanted: "delete those first".into(),
            },
            CatalogError::Conflict { subject, found } => ManagerError::WrongStatus {
                id: subject.to_string(),
                status: found.to_string(),
                wanted: "it changed meanwhile".into(),
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
