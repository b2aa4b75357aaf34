//! Records of backups, volumes, snapshots, messages, quotas and services.
//!
//! [`Repository`] says what can be done with them, [`Catalog`] does it in one SQLite file: WAL with `synchronous = FULL`, so
//! what a call has answered survives a power cut. One connection writes, so a change is a `BEGIN IMMEDIATE` transaction of
//! read, check and write; readers do not wait for it. Migrations are embedded and go forward only; a database from a newer
//! version is refused. Cost: one fsync per commit, a few milliseconds, however many steps it has.

mod columns;
mod query;
mod records;
mod repository;
mod sqlite;
mod steps;
#[cfg(test)]
mod suite;
#[cfg(test)]
mod tests;

pub use columns::{BackupColumn, Column, Kind, MessageColumn, SnapshotColumn, VolumeColumn};
pub use query::{
    BackupQuery, Comparison, Direction, Filter, ListQuery, MAX_FILTERS, MAX_SORT_KEYS, MAX_VALUES,
    MessageQuery, SnapshotQuery, VolumeQuery,
};
pub use records::{
    BackupId, BackupRecord, BackupStatus, Change, EventRecord, Limits, MessageRecord, MetadataChange, Quota,
    ServiceRecord, ServiceSwitch, SnapshotChange, SnapshotId, SnapshotRecord, SnapshotStatus, Subject, Usage,
    Used, VolumeChange, VolumeId, VolumeRecord, VolumeStatus,
};
pub use repository::Repository;
pub use sqlite::{Catalog, Finding};
pub use steps::{Done, Fence, Step};

pub(crate) type Result<T> = std::result::Result<T, CatalogError>;

/// What can go wrong with the catalog.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The file cannot be opened, or is no catalog.
    #[error("the catalog {path} cannot be opened: {reason}")]
    Open {
        /// The file.
        path: String,
        /// What was found.
        reason: String,
    },
    /// The file was written by a newer version.
    #[error(
        "the catalog {path} has schema {found}, and this version knows {known}: use the newer version again"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its schema.
        found: i64,
        /// The newest that this version knows.
        known: i64,
    },
    /// A copy of it cannot be written.
    #[error("the copy {path} cannot be written: {reason}")]
    Copy {
        /// The copy.
        path: String,
        /// What was found.
        reason: String,
    },
    /// There is one of that id already.
    #[error("there is a {0} already")]
    Exists(Subject),
    /// Nothing of that id.
    #[error("there is no {0}")]
    NotFound(Subject),
    /// It is not in a status from which the change may be made.
    #[error("{subject} is {found}")]
    Conflict {
        /// What was to be changed.
        subject: Subject,
        /// Its status.
        found: &'static str,
    },
    /// Incremental backups build on the backup, or snapshots on the volume.
    #[error("{} build on {}", dependents(.0), .0)]
    HasDependents(Subject),
    /// The project would have more than it may.
    #[error("{resource} of the project are limited to {limit}: {used} are used, {asked} more are asked for")]
    OverQuota {
        /// What is limited.
        resource: Quota,
        /// The limit.
        limit: i64,
        /// What is used.
        used: u64,
        /// How much more was asked for.
        asked: u64,
    },
    /// Another owner's claim lives.
    #[error("{subject} is claimed by {owner} until {until}")]
    Claimed {
        /// What was to be claimed.
        subject: Subject,
        /// Who has it.
        owner: uuid::Uuid,
        /// When the claim ends if it is not renewed.
        until: jiff::Timestamp,
    },
    /// The claim was lost to another, or given up.
    #[error("the claim on {0} is lost: another operation may own it")]
    Fenced(Subject),
    /// A query or a value makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// A record holds something that no version writes.
    #[error("the catalog is damaged: {0}")]
    Damaged(String),
    /// The database failed.
    #[error("the catalog failed: {0}")]
    Database(#[from] sqlx::Error),
}

fn dependents(subject: &Subject) -> &'static str {
    match subject {
        Subject::Volume(_) => "snapshots",
        _ => "incremental backups",
    }
}
