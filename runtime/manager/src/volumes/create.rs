//! Making a volume: empty, or from a backup, a snapshot or another volume. Empty ones are there when the request is answered;
//! the others are `creating` until every byte is.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_catalog::{
    BackupId, BackupStatus, Repository as _, SnapshotId, SnapshotStatus, Step, VolumeChange, VolumeId,
    VolumeRecord, VolumeStatus,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{MAX_GIB, VOLUME_TYPE, blocking, wrong_status};
use crate::caller::Caller;
use crate::error::ManagerError;
use crate::images;
use crate::manager::Manager;
use crate::messages::Trouble;

/// What a new volume holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeOrigin {
    /// Zeros.
    Empty,
    /// What was backed up.
    Backup(BackupId),
    /// What the snapshot holds.
    Snapshot(SnapshotId),
    /// What another volume holds now.
    Volume(VolumeId),
}

/// What a new volume is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVolume {
    /// What to call it.
    pub name: Option<String>,
    /// About it.
    pub description: Option<String>,
    /// In GiB; that of the origin when absent, and never less.
    pub size_gib: Option<u64>,
    /// What it holds.
    pub origin: VolumeOrigin,
    /// Keys and values of its owner's.
    pub metadata: BTreeMap<String, String>,
    /// Where it is to be; this service has one zone.
    pub availability_zone: Option<String>,
}

impl Manager {
    /// Makes a volume.
    ///
    /// # Errors
    /// When the origin is not there, not `available` or greater, the zone is another, the quota is used up, or the file system
    /// refuses.
    pub async fn create_volume(
        self: &Arc<Self>,
        caller: &Caller,
        new: NewVolume,
    ) -> Result<VolumeRecord, ManagerError> {
        self.check_running()?;
        let zones = self.zones();
        if let Some(zone) = new
            .availability_zone
            .as_ref()
            .filter(|zone| !zones.contains_key(*zone))
        {
            return Err(ManagerError::Invalid {
                message: format!("availability zone {zone:?} is invalid"),
                remedy: format!(
                    "use one of {}",
                    zones.keys().cloned().collect::<Vec<_>>().join(", ")
                ),
            });
        }
        if let VolumeOrigin::Backup(backup) = new.origin {
            return self.create_volume_from_backup(caller, backup, new).await;
        }
        let (source, least) = self.source_of(caller, new.origin).await?;
        let record = self.new_volume(caller, &new, least)?;
        let insert = Step::InsertVolume {
            record: Box::new(record.clone()),
            quotas: caller.is_counted.then(|| self.options.quotas.for_volumes()),
        };
        self.catalog.commit(vec![insert]).await?;
        let (path, bytes) = (PathBuf::from(&record.location), record.size_gib << 30);
        match source {
            None => {
                let made = blocking(move || images::make(&path, bytes)).await;
                self.conclude_volume(caller, record.id, made).await
            }
            Some(from) => {
                let (manager, caller, id) = (self.clone(), caller.clone(), record.id);
                tokio::spawn(async move {
                    let made = blocking(move || images::copy(&from, &path, bytes)).await;
                    if let Err(error) = manager.conclude_volume(&caller, id, made).await {
                        tracing::warn!(volume_id = %id, %error, "the volume could not be made");
                    }
                });
                Ok(record)
            }
        }
    }

    /// A record of what is about to be made.
    pub(crate) fn new_volume(
        &self,
        caller: &Caller,
        new: &NewVolume,
        least: u64,
    ) -> Result<VolumeRecord, ManagerError> {
        let size = new.size_gib.unwrap_or(least);
        if size == 0 || size < least || size > MAX_GIB {
            return Err(ManagerError::Invalid {
                message: format!(
                    "a volume of {size} GiB cannot be made: it must have {} to {MAX_GIB} GiB",
                    least.max(1)
                ),
                remedy: "ask for another size".into(),
            });
        }
        let id = VolumeId(Uuid::new_v4());
        let location = self.place_of(&format!("volume-{id}"))?;
        let mut record = VolumeRecord::new(id, &location.to_string_lossy(), Timestamp::now());
        record.project_id = caller.project_id.clone();
        record.user_id = caller.user_id.clone();
        record.name = new.name.clone();
        record.description = new.description.clone();
        record.size_gib = size;
        record.managed = true;
        record.volume_type = VOLUME_TYPE.into();
        record.metadata = new.metadata.clone();
        record.availability_zone = match &new.availability_zone {
            Some(zone) => zone.clone(),
            None => self.options.availability_zone.clone(),
        };
        match new.origin {
            VolumeOrigin::Empty => {}
            VolumeOrigin::Backup(id) => record.backup_id = Some(id),
            VolumeOrigin::Snapshot(id) => record.snapshot_id = Some(id),
            VolumeOrigin::Volume(id) => record.source_volume_id = Some(id),
        }
        Ok(record)
    }

    /// The file that a new volume is a copy of, and the GiB that it needs at least.
    async fn source_of(
        &self,
        caller: &Caller,
        origin: VolumeOrigin,
    ) -> Result<(Option<PathBuf>, u64), ManagerError> {
        match origin {
            VolumeOrigin::Empty | VolumeOrigin::Backup(_) => Ok((None, 0)),
            VolumeOrigin::Snapshot(id) => {
                let snapshot = self.snapshot(caller, id).await?;
                if snapshot.status != SnapshotStatus::Available {
                    return Err(ManagerError::WrongStatus {
                        what: "snapshot",
                        id: id.to_string(),
                        status: snapshot.status.to_string(),
                        wanted: "it must be available".into(),
                    });
                }
                Ok((Some(snapshot.location.into()), snapshot.size_gib))
            }
            VolumeOrigin::Volume(id) => {
                let volume = self.volume(caller, id).await?;
                if !matches!(volume.status, VolumeStatus::Available | VolumeStatus::InUse) {
                    return Err(wrong_status(&volume, "it must be available or in-use"));
                }
                if volume.location.contains("://") {
                    return Err(ManagerError::Invalid {
                        message: format!("volume {id} is an NBD export, which cannot be copied here"),
                        remedy: "back it up, and make the volume from the backup".into(),
                    });
                }
                Ok((Some(volume.location.into()), volume.size_gib))
            }
        }
    }

    /// The record says what came of the file.
    async fn conclude_volume(
        &self,
        caller: &Caller,
        id: VolumeId,
        made: Result<(), ManagerError>,
    ) -> Result<VolumeRecord, ManagerError> {
        let Err(error) = made else {
            let change = VolumeChange::to(VolumeStatus::Available);
            return self.change_volume(id, &[VolumeStatus::Creating], change).await;
        };
        let change = VolumeChange::failed(VolumeStatus::Error, &error.to_string());
        self.change_volume(id, &[VolumeStatus::Creating], change).await?;
        self.tell(
            &caller.project_id,
            caller.request_id.as_deref(),
            Trouble::Volume(id),
            &error,
        )
        .await;
        Err(error)
    }

    async fn create_volume_from_backup(
        self: &Arc<Self>,
        caller: &Caller,
        backup: BackupId,
        new: NewVolume,
    ) -> Result<VolumeRecord, ManagerError> {
        let record = self.backup_of(caller, backup).await?;
        if record.status != BackupStatus::Available {
            return Err(ManagerError::WrongStatus {
                what: "backup",
                id: backup.to_string(),
                status: record.status.to_string(),
                wanted: "it must be available".into(),
            });
        }
        let volume = self.new_volume(caller, &new, record.size_gib)?;
        self.restore_to_new(caller, backup, volume.clone()).await?;
        Ok(volume)
    }
}
