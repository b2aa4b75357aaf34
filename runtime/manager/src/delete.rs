//! Deleting a backup: its objects first, then its record. One that never reached a backend needs none.

use std::sync::Arc;

use cofferdam_catalog::{BackupId, BackupRecord, BackupStatus, Change, Repository};

use crate::error::ManagerError;
use crate::manager::Manager;
use crate::operations::{OperationKind, OperationStatus};
use crate::restore::location;

impl Manager {
    /// Begins to delete a backup.
    ///
    /// # Errors
    /// When there is no such backup, it is in use, or it has objects and its backend is down. A backup that never
    /// reached the backend can be deleted while everything is down.
    pub async fn delete(self: &Arc<Self>, id: BackupId) -> Result<OperationStatus, ManagerError> {
        self.check_running()?;
        let record = self.catalog.backup(id).await?;
        if record.placed {
            self.choose(Some(&record.backend))?;
        }
        let from = [
            BackupStatus::Available,
            BackupStatus::Error,
            BackupStatus::ErrorDeleting,
        ];
        let record = self.claim(id, &from, BackupStatus::Deleting).await?;
        self.finish_delete(record)
    }

    /// Deletes a backup that is `deleting` already; also at start, for one that a killed process left so.
    pub(crate) fn finish_delete(
        self: &Arc<Self>,
        record: BackupRecord,
    ) -> Result<OperationStatus, ManagerError> {
        let running = self.operations.begin(OperationKind::Delete, record.id);
        let status = self.operations.status(running.id)?;
        let manager = self.clone();
        tokio::spawn(async move {
            let result = manager.remove(&record).await;
            if let Err(error) = &result {
                tracing::warn!(backup_id = %record.id, code = error.code(), %error, "the backup cannot be deleted");
                let change = Change::failed(BackupStatus::ErrorDeleting, error.code(), &error.to_string());
                if let Err(error) = manager
                    .catalog
                    .transition(record.id, &[BackupStatus::Deleting], change)
                    .await
                {
                    tracing::error!(backup_id = %record.id, %error, "the failure cannot be recorded");
                }
            }
            running.end(result);
        });
        Ok(status)
    }

    async fn remove(&self, record: &BackupRecord) -> Result<String, ManagerError> {
        let mut objects = 0;
        if record.placed {
            self.supervisor.settled(&record.backend).await;
            let (backend, generation) = self.choose(Some(&record.backend))?;
            let store = self.storage(&backend, generation);
            objects = cofferdam_transfer::delete(&*store, &location(record)?).await?;
        }
        self.catalog.soft_delete(record.id).await?;
        Ok(format!("{} deleted", crate::create::objects(objects)))
    }
}
