//! What a backup reads: a path, a volume of this service or a snapshot of one; held while it is read, and let go afterwards.

use std::path::PathBuf;

use cofferdam_catalog::{
    BackupRecord, Repository as _, SnapshotChange, SnapshotId, SnapshotStatus, Step, VolumeChange, VolumeId,
    VolumeStatus,
};
use cofferdam_transfer::{Source, TransferError};
use jiff::Timestamp;

use super::{BackupSource, NewBackup, volume_id};
use crate::caller::Caller;
use crate::error::ManagerError;
use crate::manager::Manager;
use crate::volumes::{blocking, wrong_status};

/// What a backup is to read, found sound.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) volume: VolumeId,
    pub(super) path: String,
    pub(super) snapshot: Option<SnapshotId>,
    /// When the snapshot was made.
    pub(super) taken_at: Option<Timestamp>,
    /// The status of a volume of this service.
    status: Option<VolumeStatus>,
}

impl Origin {
    /// Opens it.
    pub(super) async fn open(self, force: bool) -> Result<(Self, Source), ManagerError> {
        let path = PathBuf::from(&self.path);
        let source = blocking(move || Ok(Source::open(&path)?)).await?;
        if source.size() == 0 {
            return Err(TransferError::EmptyVolume {
                path: self.path.into(),
            }
            .into());
        }
        if !force {
            source.check_unused()?;
        }
        Ok((self, source))
    }

    /// The volume of this service that is held.
    pub(super) fn held(&self) -> Option<VolumeId> {
        self.status.map(|_| self.volume)
    }

    /// The steps that keep it from being changed while it is read.
    pub(super) fn hold(&self) -> Vec<Step> {
        if let Some(id) = self.snapshot {
            let change = SnapshotChange::to(SnapshotStatus::BackingUp);
            return vec![Step::change_snapshot(id, &[SnapshotStatus::Available], change)];
        }
        let Some(status) = self.status else {
            return Vec::new();
        };
        let change = VolumeChange {
            previous_status: Some(Some(status)),
            ..VolumeChange::to(VolumeStatus::BackingUp)
        };
        vec![Step::change_volume(self.volume, &[status], change)]
    }
}

impl Manager {
    /// What a request wants to be backed up.
    ///
    /// # Errors
    /// When it is not there for this caller, or in a status that forbids it (cinder: `cinder/backup/api.py`, `create`).
    pub(super) async fn origin(&self, caller: &Caller, new: &NewBackup) -> Result<Origin, ManagerError> {
        match &new.source {
            BackupSource::Path(path) => Ok(Origin {
                volume: volume_id(path),
                path: path.to_string_lossy().into_owned(),
                snapshot: None,
                taken_at: None,
                status: None,
            }),
            BackupSource::Volume(id) => {
                let volume = self.volume(caller, *id).await?;
                match volume.status {
                    VolumeStatus::Available => {}
                    VolumeStatus::InUse if new.force => {}
                    VolumeStatus::InUse => {
                        return Err(wrong_status(
                            &volume,
                            "backing up a volume that is in use needs the force flag",
                        ));
                    }
                    _ => {
                        return Err(wrong_status(
                            &volume,
                            "it must be available or in-use to be backed up",
                        ));
                    }
                }
                Ok(Origin {
                    volume: *id,
                    path: volume.location,
                    snapshot: None,
                    taken_at: None,
                    status: Some(volume.status),
                })
            }
            BackupSource::Snapshot(volume, id) => {
                self.volume(caller, *volume).await?;
                let snapshot = self.snapshot(caller, *id).await?;
                if snapshot.volume_id != *volume {
                    return Err(ManagerError::Invalid {
                        message: format!("snapshot {id} is not of volume {volume}"),
                        remedy: "name the volume that it is of".into(),
                    });
                }
                if snapshot.status != SnapshotStatus::Available {
                    return Err(ManagerError::WrongStatus {
                        what: "snapshot",
                        id: id.to_string(),
                        status: snapshot.status.to_string(),
                        wanted: "it must be available to be backed up".into(),
                    });
                }
                Ok(Origin {
                    volume: *volume,
                    path: snapshot.location,
                    snapshot: Some(*id),
                    taken_at: Some(snapshot.created_at),
                    status: None,
                })
            }
        }
    }

    /// The step by which what a backup has read is free again. Of a volume by path there is nothing to let go of.
    pub(crate) async fn releasing(&self, record: &BackupRecord, failed: bool) -> Vec<Step> {
        if let Some(id) = record.snapshot_id {
            let change = SnapshotChange::to(SnapshotStatus::Available);
            return vec![Step::change_snapshot(id, &[SnapshotStatus::BackingUp], change)];
        }
        let Some(id) = record.held_volume_id else {
            return Vec::new();
        };
        let Ok(volume) = self.catalog.volume(id).await else {
            return Vec::new();
        };
        let left = match failed {
            true => VolumeStatus::ErrorBackingUp,
            false => VolumeStatus::BackingUp,
        };
        let change = VolumeChange {
            previous_status: Some(Some(left)),
            ..VolumeChange::to(volume.previous_status.unwrap_or(VolumeStatus::Available))
        };
        vec![Step::change_volume(volume.id, &[VolumeStatus::BackingUp], change)]
    }

    /// Lets go of it when the backup itself is another's by now.
    pub(crate) async fn release_source(&self, record: &BackupRecord) {
        let steps = self.releasing(record, true).await;
        if steps.is_empty() {
            return;
        }
        if let Err(error) = self.catalog.commit(steps).await {
            tracing::debug!(backup_id = %record.id, %error, "what the backup has read is not to be let go of");
        }
    }
}
