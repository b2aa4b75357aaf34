//! What a killed process left of volumes and snapshots, put right at the next start: no record stays in the middle of something
//! (cinder: `cinder/backup/manager.py`, `_cleanup_incomplete_backup_operations`, for the statuses of backups' volumes).
//!
//! `deleting` is finished. `creating` is `error`, and what there is of the file is removed when that is deleted. `extending` is
//! finished, for the size that was asked for is recorded. `backing-up` goes back to what it was, unless the backup goes on.
//! `restoring-backup` is `error_restoring`: what is in it is neither the old nor the new.

use std::collections::BTreeSet;
use std::path::PathBuf;

use cofferdam_catalog::{
    BackupRecord, Filter, Repository as _, SnapshotChange, SnapshotColumn, SnapshotId, SnapshotQuery,
    SnapshotRecord, SnapshotStatus, VolumeChange, VolumeColumn, VolumeId, VolumeQuery, VolumeRecord,
    VolumeStatus,
};

use super::blocking;
use crate::error::ManagerError;
use crate::images;
use crate::manager::Manager;

/// The reason that records have then.
const REASON: &str = "the service ended in the middle of it";

impl Manager {
    /// Puts right what was left unfinished; `go_on` are the backups that go on.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub(crate) async fn recover_volumes(&self, go_on: &[BackupRecord]) -> Result<(), ManagerError> {
        let volumes: BTreeSet<_> = go_on.iter().filter_map(|one| one.held_volume_id).collect();
        let snapshots: BTreeSet<_> = go_on.iter().filter_map(|one| one.snapshot_id).collect();
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let transient = [
            "creating",
            "deleting",
            "extending",
            "backing-up",
            "restoring-backup",
        ];
        let query = VolumeQuery {
            filters: vec![
                Filter::In(VolumeColumn::Status, words(&transient)),
                Filter::Equal(VolumeColumn::Managed, "true".into()),
            ],
            limit: u32::MAX,
            ..VolumeQuery::default()
        };
        for record in self.catalog.list_volumes(&query).await? {
            let id = record.id;
            if let Err(error) = self.recover_volume(record, &volumes).await {
                tracing::error!(volume_id = %id, %error, "an unfinished volume is left as it is");
            }
        }
        let query = SnapshotQuery {
            filters: vec![Filter::In(
                SnapshotColumn::Status,
                words(&["creating", "deleting", "backing-up"]),
            )],
            limit: u32::MAX,
            ..SnapshotQuery::default()
        };
        for record in self.catalog.list_snapshots(&query).await? {
            let id = record.id;
            if let Err(error) = self.recover_snapshot(record, &snapshots).await {
                tracing::error!(snapshot_id = %id, %error, "an unfinished snapshot is left as it is");
            }
        }
        Ok(())
    }

    async fn recover_volume(
        &self,
        record: VolumeRecord,
        go_on: &BTreeSet<VolumeId>,
    ) -> Result<(), ManagerError> {
        let (id, status) = (record.id, record.status);
        let change = match status {
            VolumeStatus::Deleting => return self.finish_delete_volume(&record).await,
            VolumeStatus::BackingUp if go_on.contains(&id) => return Ok(()),
            VolumeStatus::BackingUp => {
                VolumeChange::to(record.previous_status.unwrap_or(VolumeStatus::Available))
            }
            VolumeStatus::Extending => {
                let (path, bytes) = (PathBuf::from(&record.location), record.size_gib << 30);
                match blocking(move || images::extend(&path, bytes)).await {
                    Ok(()) => VolumeChange::to(VolumeStatus::Available),
                    Err(error) => VolumeChange::failed(VolumeStatus::ErrorExtending, &error.to_string()),
                }
            }
            VolumeStatus::RestoringBackup => VolumeChange::failed(VolumeStatus::ErrorRestoring, REASON),
            _ => VolumeChange::failed(VolumeStatus::Error, REASON),
        };
        tracing::info!(volume_id = %id, %status, "an unfinished volume was put right");
        self.change_volume(id, &[status], change).await.map(drop)
    }

    async fn recover_snapshot(
        &self,
        record: SnapshotRecord,
        go_on: &BTreeSet<SnapshotId>,
    ) -> Result<(), ManagerError> {
        let (id, status) = (record.id, record.status);
        let change = match status {
            SnapshotStatus::Deleting => return self.finish_delete_snapshot(&record).await,
            SnapshotStatus::BackingUp if go_on.contains(&id) => return Ok(()),
            SnapshotStatus::BackingUp => SnapshotChange::to(SnapshotStatus::Available),
            _ => SnapshotChange::to(SnapshotStatus::Error),
        };
        tracing::info!(snapshot_id = %id, %status, "an unfinished snapshot was put right");
        self.change_snapshot(id, &[status], change).await.map(drop)
    }
}
