//! Looking at backups, and changing what they are called. What is of another project is not there.

use cofferdam_catalog::{BackupId, BackupQuery, BackupRecord, BackupStatus, Change, Repository as _};

use crate::caller::Caller;
use crate::error::ManagerError;
use crate::manager::Manager;
use crate::volumes::Edit;

impl Manager {
    /// One backup.
    ///
    /// # Errors
    /// [`ManagerError::UnknownBackup`], also for one that the caller must not see.
    pub async fn backup_of(&self, caller: &Caller, id: BackupId) -> Result<BackupRecord, ManagerError> {
        let record = self.catalog.backup(id).await?;
        match caller.sees(&record.project_id) {
            true => Ok(record),
            false => Err(ManagerError::UnknownBackup(id.to_string())),
        }
    }

    /// A page of backups.
    ///
    /// # Errors
    /// When the query makes no sense, or the catalog cannot be read.
    pub async fn backups(&self, query: &BackupQuery) -> Result<Vec<BackupRecord>, ManagerError> {
        Ok(self.catalog.list_backups(query).await?)
    }

    /// How many backups there are on all pages.
    ///
    /// # Errors
    /// As [`Manager::backups`].
    pub async fn count_backups(&self, query: &BackupQuery) -> Result<u64, ManagerError> {
        Ok(self.catalog.count_backups(query).await?)
    }

    /// Changes name, description and metadata.
    ///
    /// # Errors
    /// When there is no such backup for this caller.
    pub async fn edit_backup(
        &self,
        caller: &Caller,
        id: BackupId,
        edit: Edit,
    ) -> Result<BackupRecord, ManagerError> {
        self.backup_of(caller, id).await?;
        let change = Change {
            name: edit.name,
            description: edit.description,
            metadata: edit.metadata,
            ..Change::default()
        };
        Ok(self.catalog.transition(id, BackupStatus::ALL, change).await?)
    }

    /// How far the operation is that runs on a backup, in percent; none when none runs.
    pub fn progress_percent(&self, id: BackupId) -> Option<u8> {
        let progress = self.operations.progress_of(id)?;
        let percent = progress
            .done
            .saturating_mul(100)
            .checked_div(progress.total)
            .unwrap_or(0);
        Some(u8::try_from(percent.min(100)).unwrap_or(100))
    }
}
