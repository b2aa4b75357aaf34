//! Records of backups and services, in one SQLite file.
//!
//! WAL with `synchronous = FULL`: what a call has answered survives a power cut. One connection writes, so a change is a
//! `BEGIN IMMEDIATE` transaction of read, check and write; readers do not wait for it. Migrations are embedded and go
//! forward only; a database from a newer version is refused. Cost: one fsync per change, a few milliseconds.

mod records;
mod services;
mod sqlite;
#[cfg(test)]
mod tests;

pub use records::{BackupId, BackupRecord, BackupStatus, Change, EventRecord, ServiceRecord, VolumeId};
pub use sqlite::Catalog;

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
    /// There is a backup of that id already.
    #[error("there is a backup {0} already")]
    Exists(BackupId),
    /// No backup of that id.
    #[error("there is no backup {0}")]
    NotFound(BackupId),
    /// The backup is not in a status from which the change may be made.
    #[error("backup {id} is {found}")]
    Conflict {
        /// The backup.
        id: BackupId,
        /// Its status.
        found: BackupStatus,
    },
    /// Incremental backups build on it.
    #[error("incremental backups build on backup {0}")]
    HasDependents(BackupId),
    /// A record holds something that no version writes.
    #[error("the catalog is damaged: {0}")]
    Damaged(String),
    /// The database failed.
    #[error("the catalog failed: {0}")]
    Database(#[from] sqlx::Error),
}
