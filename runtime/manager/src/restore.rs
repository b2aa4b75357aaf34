//! Restoring a backup onto a file or block device.

use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_catalog::{BackupId, BackupStatus, Change, Repository};
use cofferdam_sandbox::units::show_bytes;
use cofferdam_transfer::{Expected, Link, Location, Seals, is_volume};

use crate::error::ManagerError;
use crate::manager::Manager;
use crate::operations::{OperationKind, OperationStatus};

impl Manager {
    /// Begins a restore. The backup is `restoring` meanwhile and `available` afterwards, however it ends; a target
    /// that is new appears under its name only when every byte has been checked.
    ///
    /// # Errors
    /// When there is no such backup, it is not `available`, its backend is down, or the target's path is relative.
    pub async fn restore(
        self: &Arc<Self>,
        id: BackupId,
        target: PathBuf,
        overwrite: bool,
    ) -> Result<OperationStatus, ManagerError> {
        self.check_running()?;
        if !is_volume(&target) {
            return Err(ManagerError::Invalid {
                message: format!(
                    "the target {} is no absolute path and no NBD URL",
                    target.display()
                ),
                remedy: "give the whole path: the service may stand in another folder".into(),
            });
        }
        let record = self.catalog.backup(id).await?;
        let (backend, generation) = self.choose(Some(&record.backend))?;
        let chain = self.links(id).await?;
        self.claim(id, &[BackupStatus::Available], BackupStatus::Restoring)
            .await?;
        let running = self.operations.begin(OperationKind::Restore, id);
        let status = self.operations.status(running.id)?;
        let (manager, store) = (self.clone(), self.storage(&backend, generation));
        tokio::spawn(async move {
            let control = running.control.clone();
            let outcome = cofferdam_transfer::restore(store, &chain, &target, overwrite, control);
            let result = outcome.await.map_err(ManagerError::from);
            if let Err(error) = &result {
                tracing::warn!(backup_id = %id, code = error.code(), %error, "the restore failed");
            }
            let back = manager
                .catalog
                .transition(
                    id,
                    &[BackupStatus::Restoring],
                    Change::to(BackupStatus::Available),
                )
                .await;
            running.end(match (result, back) {
                (Err(error), _) => Err(error),
                (Ok(_), Err(error)) => Err(error.into()),
                (Ok(outcome), Ok(_)) => Ok(format!(
                    "{} to {}, every byte checked, {} of zeros left as holes",
                    show_bytes(outcome.bytes),
                    target.display(),
                    show_bytes(outcome.zero_bytes)
                )),
            });
        });
        Ok(status)
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

    /// Takes a backup for an operation: one atomic change of status.
    pub(crate) async fn claim(
        &self,
        id: BackupId,
        from: &[BackupStatus],
        to: BackupStatus,
    ) -> Result<cofferdam_catalog::BackupRecord, ManagerError> {
        match self.catalog.transition(id, from, Change::to(to)).await {
            Err(cofferdam_catalog::CatalogError::Conflict { found, .. }) => {
                let wanted: Vec<_> = from.iter().map(ToString::to_string).collect();
                Err(ManagerError::WrongStatus {
                    id: format!("backup {id}"),
                    status: found.to_string(),
                    wanted: format!("it must be {}", wanted.join(" or ")),
                })
            }
            other => Ok(other?),
        }
    }
}

/// Where a backup's objects are.
pub(crate) fn location(record: &cofferdam_catalog::BackupRecord) -> Result<Location, ManagerError> {
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
pub(crate) fn expected(record: &cofferdam_catalog::BackupRecord) -> Expected {
    let seals = record.metadata_seal.clone().zip(record.sha256file_seal.clone());
    Expected {
        bytes: Some(record.volume_bytes),
        backup_id: Some(record.id.to_string()),
        seals: seals.map(|(metadata, sha256file)| Seals { metadata, sha256file }),
    }
}
