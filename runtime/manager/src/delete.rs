//! Deleting a backup: its objects first, then its record. One that never reached a backend needs none. Setting its status by
//! force is here too, for both stop whatever runs on it.

use std::sync::Arc;

use cofferdam_catalog::{
    BackupId, BackupRecord, BackupStatus, CatalogError, Change, Fence, Repository as _, Step,
};

use crate::caller::Caller;
use crate::claims::fence_of;
use crate::error::ManagerError;
use crate::manager::Manager;
use crate::messages::Trouble;
use crate::operations::{OperationKind, OperationStatus};
use crate::restore::location;

/// Statuses in which a backup may be deleted. Cinder leaves the last one out: there it must be reset first.
const DELETABLE: [BackupStatus; 3] = [
    BackupStatus::Available,
    BackupStatus::Error,
    BackupStatus::ErrorDeleting,
];

impl Manager {
    /// Begins to delete a backup. With `force` whatever its status is: what runs on it is stopped first.
    ///
    /// # Errors
    /// When there is no such backup for this caller, it is in use, others build on it, or it has objects and its backend is down.
    /// A backup that never reached the backend can be deleted while everything is down.
    pub async fn delete(
        self: &Arc<Self>,
        caller: &Caller,
        id: BackupId,
        force: bool,
    ) -> Result<OperationStatus, ManagerError> {
        self.check_running()?;
        let record = self.backup_of(caller, id).await?;
        if record.placed {
            self.choose(Some(&record.backend))?;
        }
        if record.has_dependents {
            return Err(ManagerError::WrongStatus {
                what: "backup",
                id: id.to_string(),
                status: "what incremental backups build on".into(),
                wanted: "Incremental backups exist for this backup: delete those first".into(),
            });
        }
        let from = if force { BackupStatus::ALL } else { &DELETABLE };
        let steps = vec![
            Step::change_backup(id, from, Change::to(BackupStatus::Deleting)),
            self.claim(id),
        ];
        let fence = match self.catalog.commit(steps).await {
            Err(CatalogError::Conflict { found, .. }) => {
                return Err(ManagerError::WrongStatus {
                    what: "backup",
                    id: id.to_string(),
                    status: found.into(),
                    wanted: "Backup status must be available or error or error_deleting".into(),
                });
            }
            other => fence_of(&other?),
        };
        self.finish_delete(record, fence)
    }

    /// Sets a backup's status to `available` or `error` (Cinder's `os-reset_status`), and stops what runs on it. What is called
    /// available so is verified at once.
    ///
    /// # Errors
    /// When there is no such backup for this caller, or it is to be `available` and was never stored whole.
    pub async fn reset(
        self: &Arc<Self>,
        caller: &Caller,
        id: BackupId,
        available: bool,
    ) -> Result<(), ManagerError> {
        let record = self.backup_of(caller, id).await?;
        let is_whole =
            record.placed && (record.metadata_seal.is_some() || record.volume_path == crate::adopt::ADOPTED);
        if available && !is_whole {
            return Err(ManagerError::WrongStatus {
                what: "backup",
                id: id.to_string(),
                status: record.status.to_string(),
                wanted: "it was never stored whole, so it cannot be called available; delete it".into(),
            });
        }
        let status = if available {
            BackupStatus::Available
        } else {
            BackupStatus::Error
        };
        let change = Change {
            reset: true,
            ..match available {
                true => Change::to(status),
                false => Change::failed(status, "reset", "an administrator has set the status to error"),
            }
        };
        self.catalog.transition(id, BackupStatus::ALL, change).await?;
        tracing::info!(backup_id = %id, %status, was = %record.status, "a backup's status was reset");
        let manager = self.clone();
        tokio::spawn(async move {
            manager.operations.stop(id).await;
            if available && let Err(error) = manager.verify(&Caller::local(), id).await {
                tracing::warn!(backup_id = %id, %error, "a backup that was reset to available cannot be verified now");
            }
        });
        Ok(())
    }

    /// Deletes a backup that is `deleting` already; also at start, for one that a killed process left so.
    pub(crate) fn finish_delete(
        self: &Arc<Self>,
        record: BackupRecord,
        fence: Option<Fence>,
    ) -> Result<OperationStatus, ManagerError> {
        let running = self.operations.begin(OperationKind::Delete, record.id, fence);
        let status = self.operations.status(running.id)?;
        let manager = self.clone();
        tokio::spawn(async move {
            let result = manager.remove(&record, fence).await;
            if let Err(error) = &result {
                tracing::warn!(backup_id = %record.id, code = error.code(), %error, "the backup cannot be deleted");
                let change = Change::failed(BackupStatus::ErrorDeleting, error.code(), &error.to_string());
                let changed = manager
                    .change_owned(&running, BackupStatus::Deleting, change, true)
                    .await;
                if let Err(error) = changed {
                    tracing::error!(backup_id = %record.id, %error, "the failure cannot be recorded");
                }
                let request = record.request_id.as_deref();
                manager
                    .tell(&record.project_id, request, Trouble::Delete(record.id), error)
                    .await;
            }
            running.end(result);
        });
        Ok(status)
    }

    async fn remove(&self, record: &BackupRecord, fence: Option<Fence>) -> Result<String, ManagerError> {
        // By force it may still be in the making; at a start nothing runs.
        self.operations.stop(record.id).await;
        // It may have been placed meanwhile.
        let record = self.catalog.backup(record.id).await?;
        let mut objects = 0;
        if record.placed {
            self.supervisor.settled(&record.backend).await;
            let (backend, generation) = self.choose(Some(&record.backend))?;
            let store = self.storage(&backend, generation);
            objects = cofferdam_transfer::delete(&*store, &location(&record)?).await?;
        }
        let step = Step::DeleteBackup { id: record.id, fence };
        self.catalog.commit(vec![step]).await?;
        Ok(format!("{} deleted", crate::create::objects(objects)))
    }
}
