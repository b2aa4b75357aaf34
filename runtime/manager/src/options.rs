//! What the manager is told by the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cofferdam_sandbox::Limits;
use cofferdam_sandbox::contract::SettingValue;
use cofferdam_sandbox::requirements::Grants;

pub use cofferdam_supervisor::Settings as Supervision;

/// The service as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceOptions {
    /// Folder of the catalog, the compile cache and the socket.
    pub state_path: PathBuf,
    /// Name of this host in records.
    pub host: String,
    /// Availability zone of the service.
    pub availability_zone: String,
}

/// One backend.
#[derive(Debug, Clone)]
pub struct BackendOptions {
    /// Its name in the configuration.
    pub name: String,
    /// The driver's component.
    pub driver_file: PathBuf,
    /// The driver's settings as written in the configuration.
    pub settings: BTreeMap<String, SettingValue>,
    /// What the deployer lets the driver use.
    pub grants: Grants,
    /// Compression algorithm, as configured.
    pub algorithm: String,
    /// Bounds of the sandbox.
    pub limits: Limits,
    /// Deadlines and intervals.
    pub supervision: Supervision,
}
