//! The files that let an unfinished backup go on after a restart: one per backup, in the state folder.
//!
//! The transfer engine writes `journals/<id>`; beside it, `journals/<id>.force` says that the backup was forced. Both go when
//! the backup has ended, and at a start those of backups that are no longer being made.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use cofferdam_catalog::BackupId;

use crate::manager::Manager;

impl Manager {
    fn journals(&self) -> PathBuf {
        self.options.state_path.join("journals")
    }

    /// Where a backup's journal is.
    pub(crate) fn journal(&self, id: BackupId) -> PathBuf {
        self.journals().join(id.to_string())
    }

    fn force_mark(&self, id: BackupId) -> PathBuf {
        self.journals().join(format!("{id}.force"))
    }

    /// Keeps in mind that a backup may go on though its volume changes.
    pub(crate) fn remember_force(&self, id: BackupId) {
        if let Err(error) = std::fs::write(self.force_mark(id), b"") {
            tracing::warn!(backup_id = %id, %error, "should this backup be interrupted, it goes on as if not forced");
        }
    }

    pub(crate) fn forced(&self, id: BackupId) -> bool {
        self.force_mark(id).exists()
    }

    /// The backup has ended.
    pub(crate) fn forget_journal(&self, id: BackupId) {
        remove(&self.journal(id));
        remove(&self.force_mark(id));
    }

    /// Makes the folder, and removes from it what belongs to none of these backups.
    pub(crate) fn sweep_journals(&self, unfinished: &BTreeSet<BackupId>) -> std::io::Result<()> {
        let folder = self.journals();
        std::fs::create_dir_all(&folder)?;
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let id = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            if id.is_none_or(|id| !unfinished.contains(&BackupId(id))) {
                remove(&path);
            }
        }
        Ok(())
    }
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "a journal cannot be removed");
    }
}
