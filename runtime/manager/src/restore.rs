//! Restoring a backup: onto a file or a device by its path, onto a volume of this service, or onto a new one.
//!
//! The backup is `restoring` meanwhile and `available` afterwards, however it ends. A new target appears under its name only when
//! every byte was checked. A volume that is overwritten is `restoring-backup`, then `available`, or `error_restoring` when what is
//! in it is neither the old nor the new.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_catalog::{
    BackupId, BackupRecord, BackupStatus, Change, MetadataChange, Repository as _, Step, VolumeChange,
    VolumeId, VolumeRecord, VolumeStatus,
};
use cofferdam_sandbox::units::show_bytes;
use cofferdam_transfer::{Expected, Link, Location, RestoreOutcome, Seals, is_volume};

use crate::caller::Caller;
use crate::claims::{fence_of, is_overtaken};
use crate::create::unless_stopped;
use crate::driver::Generation;
use crate::error::ManagerError;
use crate::images;
use crate::manager::Manager;
use crate::messages::Trouble;
use crate::operations::{OperationKind, OperationStatus, Running};
use crate::volume_meta;
use crate::volumes::{NewVolume, VolumeOrigin, blocking, wrong_status};

/// Where a backup is restored to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreTarget {
    /// That file, device or NBD export.
    Path {
        /// An absolute path, or a URL.
        path: PathBuf,
        /// Also when it is there.
        overwrite: bool,
    },
    /// That volume of this service, overwritten.
    Volume(VolumeId),
    /// A new volume of the backup's size; with that name, or Cinder's for it.
    New(Option<String>),
}

/// The volume that a restore writes, if it is one of this service.
#[derive(Debug, Clone)]
struct Onto {
    volume: VolumeRecord,
    is_new: bool,
}

impl Manager {
    /// Begins a restore; gives the operation, and the volume that it writes if that is one of this service.
    ///
    /// # Errors
    /// When there is no such backup for this caller, it is not `available`, its backend is down, or the target cannot take it.
    pub async fn restore(
        self: &Arc<Self>,
        caller: &Caller,
        id: BackupId,
        target: RestoreTarget,
    ) -> Result<(OperationStatus, Option<VolumeRecord>), ManagerError> {
        let record = self.backup_of(caller, id).await?;
        match target {
            RestoreTarget::Path { path, overwrite } => {
                if !is_volume(&path) {
                    return Err(ManagerError::Invalid {
                        message: format!("the target {} is no absolute path and no NBD URL", path.display()),
                        remedy: "give the whole path: the service may stand in another folder".into(),
                    });
                }
                let status = self.begin_restore(caller, record, path, overwrite, None).await?;
                Ok((status, None))
            }
            RestoreTarget::Volume(volume) => {
                must_be_available(&record)?;
                let volume = self.volume(caller, volume).await?;
                if volume.status != VolumeStatus::Available {
                    return Err(wrong_status(&volume, "it must be available to be restored to"));
                }
                if volume.read_only {
                    return Err(wrong_status(&volume, "it is read-only"));
                }
                if volume.size_gib < record.size_gib {
                    return Err(ManagerError::Invalid {
                        message: format!(
                            "volume {} has {} GiB, and the backup {} GiB: it is too small to restore to",
                            volume.id, volume.size_gib, record.size_gib
                        ),
                        remedy: "restore to a greater volume, or to a new one".into(),
                    });
                }
                let path = PathBuf::from(&volume.location);
                let onto = Onto {
                    volume: volume.clone(),
                    is_new: false,
                };
                let status = self.begin_restore(caller, record, path, true, Some(onto)).await?;
                Ok((status, Some(volume)))
            }
            RestoreTarget::New(name) => {
                must_be_available(&record)?;
                let new = NewVolume {
                    name: Some(name.unwrap_or_else(|| format!("restore_backup_{id}"))),
                    description: Some("auto-created_from_restore_from_backup".into()),
                    size_gib: None,
                    origin: VolumeOrigin::Backup(id),
                    metadata: BTreeMap::new(),
                    availability_zone: None,
                };
                let mut volume = self.new_volume(caller, &new, record.size_gib)?;
                volume.status = VolumeStatus::RestoringBackup;
                let status = self.restore_to_new(caller, id, volume.clone()).await?;
                Ok((status, Some(volume)))
            }
        }
    }

    /// Restores onto a volume that is not recorded yet.
    ///
    /// # Errors
    /// As [`Manager::restore`].
    pub(crate) async fn restore_to_new(
        self: &Arc<Self>,
        caller: &Caller,
        id: BackupId,
        volume: VolumeRecord,
    ) -> Result<OperationStatus, ManagerError> {
        let record = self.backup_of(caller, id).await?;
        let path = PathBuf::from(&volume.location);
        let onto = Onto { volume, is_new: true };
        self.begin_restore(caller, record, path, false, Some(onto)).await
    }

    async fn begin_restore(
        self: &Arc<Self>,
        caller: &Caller,
        record: BackupRecord,
        target: PathBuf,
        overwrite: bool,
        onto: Option<Onto>,
    ) -> Result<OperationStatus, ManagerError> {
        self.check_running()?;
        let id = record.id;
        let (backend, generation) = self.choose(Some(&record.backend))?;
        let chain = self.links(id).await?;
        let taken = Change {
            restore_volume_id: onto.as_ref().map(|onto| Some(onto.volume.id)),
            ..Change::to(BackupStatus::Restoring)
        };
        let mut steps = vec![Step::change_backup(id, &[BackupStatus::Available], taken)];
        match &onto {
            Some(onto) if onto.is_new => steps.push(Step::InsertVolume {
                record: Box::new(onto.volume.clone()),
                quotas: caller.is_counted.then(|| self.options.quotas.for_volumes()),
            }),
            Some(onto) => {
                let change = VolumeChange::to(VolumeStatus::RestoringBackup);
                steps.push(Step::change_volume(
                    onto.volume.id,
                    &[VolumeStatus::Available],
                    change,
                ));
            }
            None => {}
        }
        steps.push(self.claim(id));
        let fence = match self.catalog.commit(steps).await {
            Err(cofferdam_catalog::CatalogError::Conflict { subject, found }) if subject == id.into() => {
                return Err(not_available(id, found));
            }
            other => fence_of(&other?),
        };
        let running = self.operations.begin(OperationKind::Restore, id, fence);
        let status = self.operations.status(running.id)?;
        let (manager, caller) = (self.clone(), caller.clone());
        tokio::spawn(async move {
            let written = manager
                .write(
                    &record, &backend, generation, &chain, &target, overwrite, &running,
                )
                .await;
            let result = manager
                .conclude_restore(&caller, &record, &running, onto, written)
                .await;
            running.end(result.map(|outcome| {
                format!(
                    "{} to {}, every byte checked, {} of zeros left as holes",
                    show_bytes(outcome.bytes),
                    target.display(),
                    show_bytes(outcome.zero_bytes)
                )
            }));
        });
        Ok(status)
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "all that a restore is: which, from where, to where, and how"
    )]
    async fn write(
        &self,
        record: &BackupRecord,
        backend: &str,
        generation: Arc<Generation>,
        chain: &[Link],
        target: &std::path::Path,
        overwrite: bool,
        running: &Running,
    ) -> Result<RestoreOutcome, ManagerError> {
        let _place = unless_stopped(running, self.admission.enter(&record.project_id)).await?;
        let store = self.storage(backend, generation);
        let control = running.control.clone();
        Ok(cofferdam_transfer::restore(store, chain, target, overwrite, control).await?)
    }

    /// The records say what came of it.
    async fn conclude_restore(
        &self,
        caller: &Caller,
        record: &BackupRecord,
        running: &Running,
        onto: Option<Onto>,
        written: Result<RestoreOutcome, ManagerError>,
    ) -> Result<RestoreOutcome, ManagerError> {
        let id = record.id;
        let mut result = written;
        if let Some(onto) = onto {
            let volume = &onto.volume;
            if result.is_ok() && volume.managed {
                let (path, bytes) = (PathBuf::from(&volume.location), volume.size_gib << 30);
                if let Err(error) = blocking(move || images::extend(&path, bytes)).await {
                    result = Err(error);
                }
            }
            let change = match &result {
                Ok(outcome) => VolumeChange {
                    backup_id: Some(Some(id)),
                    ..restored(volume, record, outcome)
                },
                Err(error) if volume.status == VolumeStatus::Creating => {
                    VolumeChange::failed(VolumeStatus::Error, &error.to_string())
                }
                Err(error) => VolumeChange::failed(VolumeStatus::ErrorRestoring, &error.to_string()),
            };
            let from = [VolumeStatus::Creating, VolumeStatus::RestoringBackup];
            let step = Step::change_volume(volume.id, &from, change);
            if let Err(error) = self.catalog.commit(vec![step]).await {
                tracing::warn!(volume_id = %volume.id, %error, "the volume was changed or deleted during the restore");
            }
        }
        if let Err(error) = &result {
            tracing::warn!(backup_id = %id, code = error.code(), %error, "the restore failed");
            let request = caller.request_id.as_deref();
            self.tell(&caller.project_id, request, Trouble::Restore(id), error)
                .await;
        }
        let available = Change::to(BackupStatus::Available);
        let back = self
            .change_owned(running, BackupStatus::Restoring, available, true)
            .await;
        match (result, back) {
            (Ok(outcome), Ok(_)) => Ok(outcome),
            // Somebody reset or deletes it: that holds.
            (Ok(outcome), Err(error)) if is_overtaken(&error) => Ok(outcome),
            (Ok(_), Err(error)) => Err(error.into()),
            (Err(error), _) => Err(error),
        }
    }

    /// The objects of a backup and of those that it builds on, the backup itself first.
    pub(crate) async fn links(&self, id: BackupId) -> Result<Vec<Link>, ManagerError> {
        let chain = self.catalog.chain(id).await?;
        let link = |record| {
            Ok(Link {
                location: location(record)?,
                expected: expected(record),
            })
        };
        chain.iter().map(link).collect()
    }
}

/// What a volume is once a backup was restored to it: available, with the metadata of the volume that was backed up, and its name
/// when it has none but the one that Cinder gives (cinder: `cinder/backup/driver.py`, `_restore_v2_vol_base_meta`).
fn restored(volume: &VolumeRecord, backup: &BackupRecord, outcome: &RestoreOutcome) -> VolumeChange {
    let kept = outcome
        .volume_meta
        .as_deref()
        .map(volume_meta::decode)
        .unwrap_or_default();
    let mut metadata = kept.metadata.unwrap_or_else(|| volume.metadata.clone());
    if volume.id != backup.volume_id || metadata.contains_key("src_backup_id") {
        metadata.insert("src_backup_id".into(), backup.id.to_string());
    }
    let current = volume.name.as_deref().unwrap_or_default();
    let is_ours = current.is_empty() || current.starts_with("restore_backup_");
    VolumeChange {
        metadata: Some(MetadataChange::Replace(metadata)),
        name: kept.name.clone().filter(|_| is_ours).map(Some),
        description: kept.name.and(kept.description).filter(|_| is_ours).map(Some),
        ..VolumeChange::to(VolumeStatus::Available)
    }
}

fn must_be_available(record: &BackupRecord) -> Result<(), ManagerError> {
    match record.status {
        BackupStatus::Available => Ok(()),
        other => Err(not_available(record.id, other.as_str())),
    }
}

fn not_available(id: BackupId, found: &str) -> ManagerError {
    ManagerError::WrongStatus {
        what: "backup",
        id: id.to_string(),
        status: found.into(),
        wanted: "it must be available".into(),
    }
}

/// Where a backup's objects are.
pub(crate) fn location(record: &BackupRecord) -> Result<Location, ManagerError> {
    match (&record.container, &record.prefix) {
        (Some(container), Some(prefix)) if !container.is_empty() && !prefix.is_empty() => Ok(Location {
            container: container.clone(),
            prefix: prefix.clone(),
        }),
        _ => Err(ManagerError::Invalid {
            message: format!("backup {} has never been placed on a backend", record.id),
            remedy: "delete it".into(),
        }),
    }
}

/// What a record knows of its objects.
pub(crate) fn expected(record: &BackupRecord) -> Expected {
    let seals = record.metadata_seal.clone().zip(record.sha256file_seal.clone());
    Expected {
        bytes: Some(record.volume_bytes),
        backup_id: Some(record.id.to_string()),
        seals: seals.map(|(metadata, sha256file)| Seals { metadata, sha256file }),
    }
}
