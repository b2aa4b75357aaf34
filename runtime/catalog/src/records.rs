//! What is recorded: a file for each kind of record. What may change on one is a value beside it, and the tables of statuses
//! say which changes there are.

mod backup;
mod ids;
mod message;
mod metadata;
mod quota;
mod service;
mod snapshot;
mod status;
mod volume;

pub use backup::{BackupRecord, Change};
pub use ids::{BackupId, SnapshotId, Subject, VolumeId};
pub use message::MessageRecord;
pub use metadata::MetadataChange;
pub use quota::{Limits, Quota, Usage, Used};
pub use service::{EventRecord, ServiceRecord, ServiceSwitch};
pub use snapshot::{SnapshotChange, SnapshotRecord};
pub use status::{BackupStatus, SnapshotStatus, VolumeStatus};
pub use volume::{VolumeChange, VolumeRecord};

/// Puts a value in the place of an old one, if there is one.
fn replace<T>(to: &mut T, from: Option<T>) {
    if let Some(from) = from {
        *to = from;
    }
}
