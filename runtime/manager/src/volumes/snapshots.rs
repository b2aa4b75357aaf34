//! Snapshots: a copy of a volume's file at one moment, sharing its blocks where the file system can.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_catalog::{
    Repository as _, SnapshotChange, SnapshotId, SnapshotQuery, SnapshotRecord, SnapshotStatus, Step,
    Subject, VolumeId, VolumeStatus,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Edit, blocking, must_be_managed, wrong_status};
use crate::caller::Caller;
use crate::error::ManagerError;
use crate::images;
use crate::manager::Manager;
use crate::messages::Trouble;

/// Statuses in which a snapshot may be deleted.
const DELETABLE: [SnapshotStatus; 3] = [
    SnapshotStatus::Available,
    SnapshotStatus::Error,
    SnapshotStatus::ErrorDeleting,
];

/// What a new snapshot is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSnapshot {
    /// Of which volume.
    pub volume: VolumeId,
    /// What to call it.
    pub name: Option<String>,
    /// About it.
    pub description: Option<String>,
    /// Keys and values of its owner's.
    pub metadata: BTreeMap<String, String>,
    /// Also of a volume that is in use.
    pub force: bool,
}

impl Manager {
    /// One snapshot.
    ///
    /// # Errors
    /// When there is none of that id for this caller.
    pub async fn snapshot(&self, caller: &Caller, id: SnapshotId) -> Result<SnapshotRecord, ManagerError> {
        let record = self.catalog.snapshot(id).await?;
        match caller.sees(&record.project_id) {
            true => Ok(record),
            false => Err(Subject::Snapshot(id).into()),
        }
    }

    /// A page of snapshots.
    ///
    /// # Errors
    /// When the query makes no sense, or the catalog cannot be read.
    pub async fn snapshots(&self, query: &SnapshotQuery) -> Result<Vec<SnapshotRecord>, ManagerError> {
        Ok(self.catalog.list_snapshots(query).await?)
    }

    /// How many snapshots there are on all pages.
    ///
    /// # Errors
    /// As [`Manager::snapshots`].
    pub async fn count_snapshots(&self, query: &SnapshotQuery) -> Result<u64, ManagerError> {
        Ok(self.catalog.count_snapshots(query).await?)
    }

    /// Makes a snapshot; it is `creating` until its file is whole.
    ///
    /// # Errors
    /// When the volume is not there, not `available` (or `in-use` with force), registered, or the quota is used up.
    pub async fn create_snapshot(
        self: &Arc<Self>,
        caller: &Caller,
        new: NewSnapshot,
    ) -> Result<SnapshotRecord, ManagerError> {
        self.check_running()?;
        let volume = self.volume(caller, new.volume).await?;
        let forced = new.force && volume.status == VolumeStatus::InUse;
        if volume.status != VolumeStatus::Available && !forced {
            return Err(wrong_status(&volume, "it must be available"));
        }
        must_be_managed(&volume, "kept as a snapshot")?;
        let id = SnapshotId(Uuid::new_v4());
        // Beside the volume: only within one file system can blocks be shared.
        let location = PathBuf::from(&volume.location).with_file_name(format!("snapshot-{id}"));
        let mut record = SnapshotRecord::new(id, volume.id, &location.to_string_lossy(), Timestamp::now());
        record.project_id = volume.project_id.clone();
        record.user_id = caller.user_id.clone();
        record.name = new.name;
        record.description = new.description;
        record.metadata = new.metadata;
        record.size_gib = volume.size_gib;
        let insert = Step::InsertSnapshot {
            record: Box::new(record.clone()),
            quotas: caller.is_counted.then(|| self.options.quotas.for_snapshots()),
        };
        self.catalog.commit(vec![insert]).await?;
        let (manager, caller, from) = (self.clone(), caller.clone(), PathBuf::from(volume.location));
        tokio::spawn(async move {
            let bytes = volume.size_gib << 30;
            let made = blocking(move || images::copy(&from, &location, bytes)).await;
            manager.conclude_snapshot(&caller, id, made).await;
        });
        Ok(record)
    }

    async fn conclude_snapshot(&self, caller: &Caller, id: SnapshotId, made: Result<(), ManagerError>) {
        let status = match &made {
            Ok(()) => SnapshotStatus::Available,
            Err(_) => SnapshotStatus::Error,
        };
        let change = SnapshotChange::to(status);
        let changed = self
            .change_snapshot(id, &[SnapshotStatus::Creating], change)
            .await;
        if let Err(error) = &made {
            self.tell(
                &caller.project_id,
                caller.request_id.as_deref(),
                Trouble::Snapshot(id),
                error,
            )
            .await;
        }
        if let Err(error) = made.and(changed.map(drop)) {
            tracing::warn!(snapshot_id = %id, %error, "the snapshot could not be made");
        }
    }

    /// Changes what a snapshot is called, and the like.
    ///
    /// # Errors
    /// When there is none of that id for this caller.
    pub async fn edit_snapshot(
        &self,
        caller: &Caller,
        id: SnapshotId,
        edit: Edit,
    ) -> Result<SnapshotRecord, ManagerError> {
        self.snapshot(caller, id).await?;
        let change = SnapshotChange {
            name: edit.name,
            description: edit.description,
            metadata: edit.metadata,
            ..SnapshotChange::default()
        };
        self.change_snapshot(id, SnapshotStatus::ALL, change).await
    }

    /// Sets a snapshot's status, whatever it is (Cinder's `os-reset_status`).
    ///
    /// # Errors
    /// When there is none of that id for this caller, or no such status can be set.
    pub async fn reset_snapshot(
        &self,
        caller: &Caller,
        id: SnapshotId,
        status: SnapshotStatus,
    ) -> Result<(), ManagerError> {
        self.snapshot(caller, id).await?;
        let change = SnapshotChange {
            reset: true,
            ..SnapshotChange::to(status)
        };
        self.change_snapshot(id, SnapshotStatus::ALL, change)
            .await
            .map(drop)
    }

    /// Deletes a snapshot with its file. With `force` whatever its status is.
    ///
    /// # Errors
    /// When its status forbids it, or the file system refuses.
    pub async fn delete_snapshot(
        &self,
        caller: &Caller,
        id: SnapshotId,
        force: bool,
    ) -> Result<(), ManagerError> {
        let record = self.snapshot(caller, id).await?;
        if !force && !DELETABLE.contains(&record.status) {
            return Err(ManagerError::WrongStatus {
                what: "snapshot",
                id: id.to_string(),
                status: record.status.to_string(),
                wanted: "it must be available or in error to be deleted".into(),
            });
        }
        let from = if force { SnapshotStatus::ALL } else { &DELETABLE };
        self.change_snapshot(id, from, SnapshotChange::to(SnapshotStatus::Deleting))
            .await?;
        self.finish_delete_snapshot(&record).await
    }

    /// Removes the file of a snapshot that is `deleting`, and its record from the lists.
    pub(super) async fn finish_delete_snapshot(&self, record: &SnapshotRecord) -> Result<(), ManagerError> {
        let path = PathBuf::from(&record.location);
        let removed = blocking(move || images::remove(&path)).await;
        if let Err(error) = removed {
            let change = SnapshotChange::to(SnapshotStatus::ErrorDeleting);
            self.change_snapshot(record.id, &[SnapshotStatus::Deleting], change)
                .await?;
            return Err(error);
        }
        self.catalog
            .commit(vec![Step::DeleteSnapshot { id: record.id }])
            .await?;
        Ok(())
    }

    pub(crate) async fn change_snapshot(
        &self,
        id: SnapshotId,
        from: &[SnapshotStatus],
        change: SnapshotChange,
    ) -> Result<SnapshotRecord, ManagerError> {
        self.catalog
            .commit(vec![Step::change_snapshot(id, from, change)])
            .await?;
        Ok(self.catalog.snapshot(id).await?)
    }
}
