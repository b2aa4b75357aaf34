//! The catalog on SQLite: the connections, and the trait that each file beside this one fills with its part.

mod backup_row;
mod backups;
mod check;
mod claims;
mod copy;
mod filter;
mod list;
mod messages;
mod open;
mod quotas;
mod services;
mod snapshots;
mod steps;
mod switches;
mod values;
mod volumes;

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::sqlite::SqlitePool;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, Transaction};
use uuid::Uuid;

use crate::columns::Column;
use crate::query::{BackupQuery, MessageQuery, SnapshotQuery, VolumeQuery};
use crate::records::{
    BackupId, BackupRecord, EventRecord, MessageRecord, Quota, ServiceRecord, ServiceSwitch, SnapshotId,
    SnapshotRecord, Usage, VolumeId, VolumeRecord,
};
use crate::steps::{Done, Step};
use crate::{CatalogError, Repository, Result};

pub use check::Finding;
#[cfg(test)]
pub(crate) use {
    backups::{AVAILABLE, PLACED, UNFINISHED, UNVERIFIED},
    list::plan,
};

/// The catalog of one state folder.
#[derive(Debug, Clone)]
pub struct Catalog {
    writer: SqlitePool,
    readers: SqlitePool,
    /// Whether every page was looked at when it was opened.
    looked_at: bool,
}

impl Catalog {
    /// Closes all connections.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    #[cfg(test)]
    pub(crate) fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    async fn begin(&self) -> Result<Transaction<'static, Sqlite>> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// Refuses an id that is taken, also by a record that is deleted.
async fn check_free<S: list::Stored>(connection: &mut SqliteConnection, id: Uuid) -> Result<()> {
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT 1 FROM ");
    sql.push(S::Column::TABLE)
        .push(" WHERE id = ")
        .push_bind(id.to_string());
    match sql.build().fetch_optional(connection).await? {
        Some(_) => Err(CatalogError::Exists(S::subject(id))),
        None => Ok(()),
    }
}

#[async_trait::async_trait]
impl Repository for Catalog {
    async fn commit(&self, steps: Vec<Step>) -> Result<Vec<Done>> {
        steps::commit(self, steps).await
    }

    async fn backup(&self, id: BackupId) -> Result<BackupRecord> {
        list::one(&self.readers, id.0).await
    }

    async fn volume(&self, id: VolumeId) -> Result<VolumeRecord> {
        list::one(&self.readers, id.0).await
    }

    async fn snapshot(&self, id: SnapshotId) -> Result<SnapshotRecord> {
        list::one(&self.readers, id.0).await
    }

    async fn message(&self, id: Uuid) -> Result<MessageRecord> {
        list::one(&self.readers, id).await
    }

    async fn list_backups(&self, query: &BackupQuery) -> Result<Vec<BackupRecord>> {
        list::page(&self.readers, query).await
    }

    async fn count_backups(&self, query: &BackupQuery) -> Result<u64> {
        list::count::<BackupRecord>(&mut *self.readers.acquire().await?, query).await
    }

    async fn list_volumes(&self, query: &VolumeQuery) -> Result<Vec<VolumeRecord>> {
        list::page(&self.readers, query).await
    }

    async fn count_volumes(&self, query: &VolumeQuery) -> Result<u64> {
        list::count::<VolumeRecord>(&mut *self.readers.acquire().await?, query).await
    }

    async fn list_snapshots(&self, query: &SnapshotQuery) -> Result<Vec<SnapshotRecord>> {
        list::page(&self.readers, query).await
    }

    async fn count_snapshots(&self, query: &SnapshotQuery) -> Result<u64> {
        list::count::<SnapshotRecord>(&mut *self.readers.acquire().await?, query).await
    }

    async fn list_messages(&self, query: &MessageQuery) -> Result<Vec<MessageRecord>> {
        list::page(&self.readers, query).await
    }

    async fn count_messages(&self, query: &MessageQuery) -> Result<u64> {
        list::count::<MessageRecord>(&mut *self.readers.acquire().await?, query).await
    }

    async fn delete_message(&self, id: Uuid) -> Result<()> {
        messages::delete(&mut *self.writer.acquire().await?, id).await
    }

    async fn sweep_messages(&self, now: Timestamp) -> Result<u64> {
        messages::sweep(&mut *self.writer.acquire().await?, now).await
    }

    async fn quotas(&self, project: &str) -> Result<BTreeMap<Quota, i64>> {
        quotas::own(&mut *self.readers.acquire().await?, project).await
    }

    async fn set_quota(&self, project: &str, quota: Quota, limit: Option<i64>) -> Result<()> {
        quotas::set(&mut *self.writer.acquire().await?, project, quota, limit).await
    }

    async fn usage(&self, project: &str) -> Result<Usage> {
        quotas::usage(&mut *self.readers.acquire().await?, project).await
    }

    async fn switches(&self) -> Result<Vec<ServiceSwitch>> {
        switches::all(&self.readers).await
    }

    async fn set_switch(&self, switch: &ServiceSwitch) -> Result<()> {
        switches::set(&mut *self.writer.acquire().await?, switch).await
    }

    async fn unfinished(&self) -> Result<Vec<BackupRecord>> {
        backups::unfinished(&self.readers).await
    }

    async fn available(&self, volume: VolumeId, path: &str) -> Result<Vec<BackupRecord>> {
        backups::available(&self.readers, volume, path).await
    }

    async fn unverified_since(&self, before: Timestamp) -> Result<Vec<BackupId>> {
        backups::unverified_since(&self.readers, before).await
    }

    async fn placed(&self, backend: &str) -> Result<Vec<(BackupRecord, bool)>> {
        backups::placed(&self.readers, backend).await
    }

    async fn chain(&self, id: BackupId) -> Result<Vec<BackupRecord>> {
        backups::chain(&self.readers, id).await
    }

    async fn record(&self, services: &[ServiceRecord], events: &[EventRecord], history: u32) -> Result<()> {
        services::record(self, services, events, history).await
    }

    async fn services(&self) -> Result<Vec<ServiceRecord>> {
        services::all(&self.readers).await
    }

    async fn forget_services(&self, host: &str) -> Result<()> {
        services::forget(self, host).await
    }

    async fn events(
        &self,
        host: &str,
        backend: Option<&str>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<EventRecord>> {
        services::events(&self.readers, host, backend, after, limit).await
    }
}
