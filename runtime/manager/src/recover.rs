//! What a killed process left unfinished, put right at the next start (cinder: `cinder/backup/manager.py`,
//! `_cleanup_incomplete_backup_operations`).
//!
//! `creating` goes on in a service, behind the last object that is durable if the volume is unchanged, and becomes `error` in a
//! command that runs without one. `restoring` becomes
//! `available`: the backup itself was only read, and a new target never got its name. `deleting` is finished. Each
//! record is put right by itself; one that cannot be is logged and does not hold up the others.

use std::collections::BTreeSet;
use std::sync::Arc;

use cofferdam_catalog::{BackupRecord, BackupStatus, Change, Repository as _};

use crate::error::ManagerError;
use crate::manager::Manager;

impl Manager {
    /// Puts right what was left unfinished; gives the backups that are to go on.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub(crate) async fn recover(self: &Arc<Self>) -> Result<Vec<BackupRecord>, ManagerError> {
        let mut interrupted = Vec::new();
        let unfinished = self.catalog.unfinished().await?;
        let creating = unfinished
            .iter()
            .filter(|record| record.status == BackupStatus::Creating);
        if let Err(error) = self.sweep_journals(&creating.map(|record| record.id).collect::<BTreeSet<_>>()) {
            tracing::warn!(%error, "the folder of journals cannot be read: interrupted backups begin anew");
        }
        for record in unfinished {
            let (id, status) = (record.id, record.status);
            if status == BackupStatus::Creating && self.options.resume_backups {
                tracing::info!(backup_id = %id, "a backup goes on that was interrupted");
                interrupted.push(record);
                continue;
            }
            match self.recover_one(record).await {
                Ok(()) => tracing::info!(backup_id = %id, %status, "an unfinished operation was put right"),
                Err(error) => {
                    tracing::error!(backup_id = %id, %status, %error, "an unfinished operation is left as it is")
                }
            }
        }
        Ok(interrupted)
    }

    async fn recover_one(self: &Arc<Self>, record: BackupRecord) -> Result<(), ManagerError> {
        match record.status {
            BackupStatus::Creating => {
                let reason = "the service ended while the backup was made; delete it and make it again";
                let change = Change::failed(BackupStatus::Error, "interrupted", reason);
                self.catalog
                    .transition(record.id, &[BackupStatus::Creating], change)
                    .await?;
            }
            BackupStatus::Restoring => {
                let change = Change::to(BackupStatus::Available);
                self.catalog
                    .transition(record.id, &[BackupStatus::Restoring], change)
                    .await?;
            }
            BackupStatus::Deleting => {
                self.finish_delete(record)?;
            }
            BackupStatus::Available | BackupStatus::Error | BackupStatus::ErrorDeleting => {}
        }
        Ok(())
    }
}
