//! Operations: takes requests, keeps the catalog truthful, and brings supervisor, transfer and catalog together.
//!
//! An operation checks and records first, then runs in the background. Its record tells the truth at each moment:
//! `creating` until the metadata object, the commit mark, is stored; `error` with code and reason when that did not
//! happen. A request that needs a backend that is down is refused at once with the reason. What a killed process
//! left unfinished is put right when the next one starts ([`recover`]).

mod adopt;
mod adopt_all;
mod catalog;
mod create;
mod delete;
mod driver;
mod error;
mod export;
mod inspect;
mod journals;
mod manager;
mod notify;
mod offline;
mod operations;
mod options;
mod orphans;
mod recover;
mod reload;
mod restore;
mod scrub;
mod store;
mod verify;

pub use adopt_all::Adopted;
pub use catalog::{catalog_path, check_catalog, copy_catalog};
pub use cofferdam_catalog::{BackupId, BackupRecord, BackupStatus, EventRecord};
pub use cofferdam_sandbox::Source;
pub use cofferdam_sandbox::compile::{CompileHelper, child as compile_child};
pub use cofferdam_sandbox::contract::{OptionInfo, OptionKind, SettingValue};
pub use cofferdam_sandbox::requirements::{DirectoryGrant, Grants, Written, is_plain_absolute};
pub use cofferdam_sandbox::{Failure, Limits, units};
pub use cofferdam_supervisor::{Phase, ServiceState};
pub use create::NewBackup;
pub use error::{ErrorKind, ManagerError};
pub use export::Exported;
pub use inspect::{BackendGrant, Inspection, Inspector, Refusal, show_setting};
pub use manager::{Manager, ServiceStatus};
pub use notify::webhook::Deliveries;
pub use offline::Offline;
pub use operations::{OperationId, OperationKind, OperationState, OperationStatus};
pub use options::{BackendOptions, Patience, ServiceOptions, Supervision, Webhook};
pub use orphans::Orphan;
pub use reload::{ReloadError, Reloaded};

/// Doors for a fuzzer: each takes any bytes, and panics when they break a rule.
#[doc(hidden)]
pub mod fuzz {
    pub use crate::export::fuzz::backup_url;
}
