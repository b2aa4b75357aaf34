//! What any database behind the catalog can do. [`crate::Catalog`] does it on SQLite; `suite` says how it behaves.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::query::{BackupQuery, MessageQuery, SnapshotQuery, VolumeQuery};
use crate::records::{
    BackupId, BackupRecord, BackupStatus, Change, EventRecord, MessageRecord, Quota, ServiceRecord,
    ServiceSwitch, SnapshotId, SnapshotRecord, Usage, VolumeId, VolumeRecord,
};
use crate::steps::{Done, Fence, Step};
use crate::{CatalogError, Result};

/// The catalog's records, whatever keeps them. All methods fail with [`CatalogError::Database`] when that does not work, and
/// with [`CatalogError::Damaged`] when a record holds what no version writes.
#[async_trait::async_trait]
pub trait Repository: Send + Sync {
    /// Makes all steps, in their order, or none of them.
    ///
    /// # Errors
    /// [`CatalogError::Exists`] for an id that is taken, also by a record that is deleted. [`CatalogError::NotFound`];
    /// [`CatalogError::Conflict`] for a status that is not in `from`, or a change that is not in the table;
    /// [`CatalogError::HasDependents`] when something that others build on would be deleted; [`CatalogError::OverQuota`];
    /// [`CatalogError::Claimed`] and [`CatalogError::Fenced`] when a backup is another's.
    async fn commit(&self, steps: Vec<Step>) -> Result<Vec<Done>>;

    /// One backup, or [`CatalogError::NotFound`].
    async fn backup(&self, id: BackupId) -> Result<BackupRecord>;
    /// One volume, or [`CatalogError::NotFound`].
    async fn volume(&self, id: VolumeId) -> Result<VolumeRecord>;
    /// One snapshot, or [`CatalogError::NotFound`].
    async fn snapshot(&self, id: SnapshotId) -> Result<SnapshotRecord>;
    /// One message that has not expired, or [`CatalogError::NotFound`].
    async fn message(&self, id: Uuid) -> Result<MessageRecord>;

    /// A page of backups. [`CatalogError::NotFound`] for an unknown marker, [`CatalogError::Invalid`] for a value that its
    /// column cannot have; so for all lists.
    async fn list_backups(&self, query: &BackupQuery) -> Result<Vec<BackupRecord>>;
    /// How many backups there are on all pages, whatever marker, limit and offset say; so for all counts.
    async fn count_backups(&self, query: &BackupQuery) -> Result<u64>;
    /// A page of volumes.
    async fn list_volumes(&self, query: &VolumeQuery) -> Result<Vec<VolumeRecord>>;
    /// How many volumes there are.
    async fn count_volumes(&self, query: &VolumeQuery) -> Result<u64>;
    /// A page of snapshots.
    async fn list_snapshots(&self, query: &SnapshotQuery) -> Result<Vec<SnapshotRecord>>;
    /// How many snapshots there are.
    async fn count_snapshots(&self, query: &SnapshotQuery) -> Result<u64>;
    /// A page of messages that have not expired.
    async fn list_messages(&self, query: &MessageQuery) -> Result<Vec<MessageRecord>>;
    /// How many messages there are.
    async fn count_messages(&self, query: &MessageQuery) -> Result<u64>;
    /// Deletes a message, or [`CatalogError::NotFound`].
    async fn delete_message(&self, id: Uuid) -> Result<()>;
    /// Deletes what has expired by then, and says how many those were.
    async fn sweep_messages(&self, now: Timestamp) -> Result<u64>;

    /// A project's own limits.
    async fn quotas(&self, project: &str) -> Result<BTreeMap<Quota, i64>>;
    /// Sets a project's own limit (-1: none), or takes it away, so that the default holds again.
    async fn set_quota(&self, project: &str, quota: Quota, limit: Option<i64>) -> Result<()>;
    /// What a project has.
    async fn usage(&self, project: &str) -> Result<Usage>;

    /// All switches that were ever used.
    async fn switches(&self) -> Result<Vec<ServiceSwitch>>;
    /// Sets one.
    async fn set_switch(&self, switch: &ServiceSwitch) -> Result<()>;

    /// Backups that a killed process left in the middle of something.
    async fn unfinished(&self) -> Result<Vec<BackupRecord>>;
    /// The available backups of a volume, by its id or its path, those of the newest data first.
    async fn available(&self, volume: VolumeId, path: &str) -> Result<Vec<BackupRecord>>;
    /// Available backups that were made, and last verified if ever, before that time; at most 100.
    async fn unverified_since(&self, before: Timestamp) -> Result<Vec<BackupId>>;
    /// All backups that may have objects on a backend, and whether they are deleted; these too.
    async fn placed(&self, backend: &str) -> Result<Vec<(BackupRecord, bool)>>;
    /// A backup and those that it builds on, down to a full one. [`CatalogError::Damaged`] for a circle.
    async fn chain(&self, id: BackupId) -> Result<Vec<BackupRecord>>;

    /// Records services and events, and keeps the newest `history` events of each backend that has new ones.
    async fn record(&self, services: &[ServiceRecord], events: &[EventRecord], history: u32) -> Result<()>;
    /// All services that are recorded.
    async fn services(&self) -> Result<Vec<ServiceRecord>>;
    /// Forgets what the last life of a host's service left. Its switches stay.
    async fn forget_services(&self, host: &str) -> Result<()>;
    /// The newest events, oldest first; with `after` the first ones that come after that number.
    async fn events(
        &self,
        host: &str,
        backend: Option<&str>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<EventRecord>>;

    /// Records a new backup, against no quota.
    async fn insert(&self, record: &BackupRecord) -> Result<()> {
        let record = Box::new(record.clone());
        self.commit(vec![Step::InsertBackup { record, quotas: None }])
            .await?;
        Ok(())
    }

    /// Changes a backup that is in one of these statuses, and gives it as it is then.
    async fn transition(&self, id: BackupId, from: &[BackupStatus], change: Change) -> Result<BackupRecord> {
        let done = self.commit(vec![Step::change_backup(id, from, change)]).await?;
        match done.into_iter().next() {
            Some(Done::Backup(record)) => Ok(*record),
            _ => Err(CatalogError::NotFound(id.into())),
        }
    }

    /// Takes a backup that is `deleting` out of all lists.
    async fn soft_delete(&self, id: BackupId) -> Result<()> {
        self.commit(vec![Step::DeleteBackup { id, fence: None }]).await?;
        Ok(())
    }

    /// Claims a backup for an operation ([`Step::Claim`]).
    async fn claim(&self, id: BackupId, owner: Uuid, ttl: Duration) -> Result<Fence> {
        let done = self.commit(vec![Step::Claim { id, owner, ttl }]).await?;
        match done.into_iter().next() {
            Some(Done::Claimed(fence)) => Ok(fence),
            _ => Err(CatalogError::NotFound(id.into())),
        }
    }

    /// Keeps a claim for that much longer from now. [`CatalogError::Fenced`] when it is lost.
    async fn renew(&self, id: BackupId, fence: Fence, ttl: Duration) -> Result<()> {
        self.commit(vec![Step::Renew { id, fence, ttl }]).await?;
        Ok(())
    }

    /// Gives a claim up. [`CatalogError::Fenced`] when it is lost.
    async fn release(&self, id: BackupId, fence: Fence) -> Result<()> {
        self.commit(vec![Step::Release { id, fence }]).await?;
        Ok(())
    }
}
