//! Operations: takes requests, keeps the catalog truthful, and brings supervisor, transfer and catalog together.
//!
//! An operation checks and records first, then runs in the background. Its record tells the truth at each moment:
//! `creating` until the metadata object, the commit mark, is stored; `error` with code and reason when that did not
//! happen. A request that needs a backend that is down is refused at once with the reason. What a killed process
//! left unfinished is put right when the next one starts ([`recover`]).

mod admission;
mod adopt;
mod adopt_all;
mod backups;
mod caller;
mod catalog;
mod claims;
mod create;
mod delete;
mod driver;
mod error;
mod export;
mod histogram;
mod images;
mod inspect;
mod journals;
mod manager;
mod messages;
mod notify;
mod observe;
mod offline;
mod operations;
mod options;
mod orphans;
mod quotas;
mod recover;
mod reload;
mod restore;
mod schedule;
mod scrub;
mod stop;
mod store;
mod switches;
mod verify;
mod volume_meta;
mod volumes;

pub use adopt_all::Adopted;
pub use caller::Caller;
pub use catalog::{catalog_path, check_catalog, copy_catalog};
pub use cofferdam_catalog::{
    BackupColumn, BackupId, BackupQuery, BackupRecord, BackupStatus, Column, Comparison, Direction,
    EventRecord, Filter, Kind, ListQuery, MAX_FILTERS, MAX_SORT_KEYS, MessageColumn, MessageQuery,
    MessageRecord, MetadataChange, Quota, SnapshotColumn, SnapshotId, SnapshotQuery, SnapshotRecord,
    SnapshotStatus, Usage, VolumeColumn, VolumeId, VolumeQuery, VolumeRecord, VolumeStatus,
};
pub use cofferdam_sandbox::Source;
pub use cofferdam_sandbox::compile::{CompileHelper, child as compile_child};
pub use cofferdam_sandbox::contract::{OptionInfo, OptionKind, SettingValue};
pub use cofferdam_sandbox::requirements::{DirectoryGrant, Grants, Written, is_plain_absolute};
pub use cofferdam_sandbox::{Failure, Limits, units};
pub use cofferdam_supervisor::{Phase, ServiceState};
pub use create::{BackupSource, NewBackup};
pub use error::{ErrorKind, ManagerError};
pub use export::Exported;
pub use histogram::Histogram;
pub use inspect::{BackendGrant, Inspection, Inspector, Refusal, kind_of, show_setting};
pub use jiff::Timestamp;
pub use manager::{Manager, ServiceStatus};
pub use notify::webhook::Deliveries;
pub use observe::BackendSeen;
pub use offline::Offline;
pub use operations::totals::{Moved, OperationTotals};
pub use operations::{About, OperationId, OperationKind, OperationState, OperationStatus};
pub use options::{BackendOptions, Patience, ServiceOptions, Supervision, Webhook};
pub use orphans::Orphan;
pub use quotas::{ProjectQuotas, QuotaDefaults};
pub use reload::{ReloadError, Reloaded};
pub use restore::RestoreTarget;
pub use switches::Switched;
pub use volume_meta::cinder_time;
pub use volumes::{Edit, MAX_GIB, NewSnapshot, NewVolume, Registered, VOLUME_TYPE, VolumeOrigin};

/// Doors for a fuzzer: each takes any bytes, and panics when they break a rule.
#[doc(hidden)]
pub mod fuzz {
    pub use crate::export::fuzz::backup_url;
}
