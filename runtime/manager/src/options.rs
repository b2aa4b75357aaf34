//! What the manager is told by the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use cofferdam_sandbox::Limits;
use cofferdam_sandbox::requirements::{Grants, Written};

use crate::quotas::QuotaDefaults;
use crate::volumes::Registered;

pub use cofferdam_supervisor::Settings as Supervision;
pub use cofferdam_transfer::Patience;

/// The service as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceOptions {
    /// Folder of the catalog, the compile cache and the socket.
    pub state_path: PathBuf,
    /// Name of this host in records.
    pub host: String,
    /// Availability zone of the service.
    pub availability_zone: String,
    /// Whether deletes that a killed process left unfinished are finished in the background
    /// (`backup_service_inithost_offload`); else the start waits for them.
    pub inithost_offload: bool,
    /// Whether backups that a killed or stopped process left unfinished are gone on with; else they have failed.
    pub resume_backups: bool,
    /// Bytes of memory that backups, restores and verifications use together (`transfer_memory`).
    pub transfer_memory: u64,
    /// Processors that each of them uses (`transfer_parallelism`); none: all.
    pub transfer_parallelism: Option<usize>,
    /// Events of each backend that the history keeps.
    pub event_history: u32,
    /// Every available backup is verified again within this span (`backup_verify_within`); none: only when asked for.
    pub verify_within: Option<Duration>,
    /// Where events are sent; none: nowhere.
    pub webhook: Option<Webhook>,
    /// Backups and restores that run at once; 0: all (`backup_max_operations`).
    pub max_operations: usize,
    /// Folders for the files of new volumes.
    pub volume_folders: Vec<PathBuf>,
    /// Volumes that exist already.
    pub registered_volumes: Vec<Registered>,
    /// Limits of projects that have none of their own.
    pub quotas: QuotaDefaults,
}

/// A receiver of events over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// `http://` or `https://`.
    pub url: String,
    /// Wall-clock time of one try.
    pub timeout: Duration,
    /// A file whose first line is sent as bearer token; read anew for every event.
    pub token_file: Option<PathBuf>,
}

/// One backend.
#[derive(Debug, Clone, PartialEq)]
pub struct BackendOptions {
    /// Its name in the configuration.
    pub name: String,
    /// Where it is.
    pub availability_zone: String,
    /// The driver's component.
    pub driver_file: PathBuf,
    /// The SHA-256 that the component must have, in lower-case hex, or why no component is trusted; `None`: any is taken.
    pub pin: Option<Result<String, String>>,
    /// The driver's settings as written in the configuration.
    pub settings: BTreeMap<String, Written>,
    /// What the deployer lets the driver use.
    pub grants: Grants,
    /// Compression algorithm, as configured.
    pub algorithm: String,
    /// Bounds of the sandbox.
    pub limits: Limits,
    /// How often and how long a failed call is made again.
    pub patience: Patience,
    /// Calls of its driver that operations make at once.
    pub calls: usize,
    /// Deadlines and intervals.
    pub supervision: Supervision,
}
