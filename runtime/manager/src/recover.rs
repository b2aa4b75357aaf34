//! What a killed process left unfinished, put right at the next start (cinder: `cinder/backup/manager.py`,
//! `_cleanup_incomplete_backup_operations`).
//!
//! `creating` goes on in a service, behind the last object that is durable if the volume is unchanged, and becomes `error` in a
//! command that runs without one. `restoring` becomes
//! `available`: the backup itself was only read, and a new target never got its name. `deleting` is finished. Each
//! record is put right by itself; one that cannot be is logged and does not hold up the others.

use std::collections::BTreeSet;
use std::sync::Arc;

use cofferdam_catalog::{BackupRecord, BackupStatus, Change, Fence, Repository as _, Step};

use crate::claims::TTL;
use crate::error::ManagerError;
use crate::manager::Manager;

impl Manager {
    /// Puts right what was left unfinished; gives the backups that are to go on.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub(crate) async fn recover(self: &Arc<Self>) -> Result<Vec<(BackupRecord, Fence)>, ManagerError> {
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
            let fence = match self.catalog.claim(id, self.owner, TTL).await {
                Ok(fence) => fence,
                Err(error) => {
                    tracing::info!(backup_id = %id, %status, %error, "an unfinished operation is not ours to put right");
                    continue;
                }
            };
            if status == BackupStatus::Creating && self.options.resume_backups {
                tracing::info!(backup_id = %id, "a backup goes on that was interrupted");
                interrupted.push((record, fence));
                continue;
            }
            match self.recover_one(record, fence).await {
                Ok(()) => tracing::info!(backup_id = %id, %status, "an unfinished operation was put right"),
                Err(error) => {
                    tracing::error!(backup_id = %id, %status, %error, "an unfinished operation is left as it is")
                }
            }
        }
        Ok(interrupted)
    }

    async fn recover_one(self: &Arc<Self>, record: BackupRecord, fence: Fence) -> Result<(), ManagerError> {
        let change = match record.status {
            BackupStatus::Creating => {
                let reason = "the service ended while the backup was made; delete it and make it again";
                Change::failed(BackupStatus::Error, "interrupted", reason)
            }
            BackupStatus::Restoring => Change::to(BackupStatus::Available),
            BackupStatus::Deleting => return self.finish_delete(record, Some(fence)).map(drop),
            BackupStatus::Available | BackupStatus::Error | BackupStatus::ErrorDeleting => return Ok(()),
        };
        let change = Step::ChangeBackup {
            id: record.id,
            from: vec![record.status],
            change: Box::new(change),
            fence: Some(fence),
        };
        let release = Step::Release { id: record.id, fence };
        self.catalog.commit(vec![change, release]).await?;
        Ok(())
    }
}
