//! Whose an operation is: each that changes a backup's status claims the backup with it, so that two processes on one database can
//! never both own it, and one that stood still until its claim ended can change nothing any more.
//!
//! How: the claim is a step of the same commit that makes the status `creating`, `restoring` or `deleting`; the fence that it gives
//! is shown with every later change. Claims are renewed while their operations run. A process claims in the name of its state
//! folder, whose lock it holds, so its next life takes over at once what a kill left, and the old life's fences are worth nothing.
//! Cost: no further commit for an operation, and one for each that runs every [`RENEW`].

use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use cofferdam_catalog::{
    BackupId, BackupRecord, BackupStatus, CatalogError, Change, Done, Fence, Repository as _, Step,
};
use uuid::Uuid;

use crate::error::ManagerError;
use crate::manager::Manager;
use crate::operations::Running;

/// How long a claim lives that is not renewed.
pub(crate) const TTL: Duration = Duration::from_secs(60);

/// How often claims are renewed.
const RENEW: Duration = Duration::from_secs(20);

/// Name of the file that says in whose name a state folder's process claims.
const OWNER: &str = "owner";

/// In whose name the process of a state folder claims: chosen once, and kept there.
///
/// # Errors
/// When the file can be neither read nor made.
pub(crate) fn owner(folder: &Path) -> Result<Uuid, ManagerError> {
    let path = folder.join(OWNER);
    let broken = |error: std::io::Error| ManagerError::Service {
        message: format!("{} cannot be used: {error}", path.display()),
        remedy: "set state_path to a folder that this user may write".into(),
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            if let Ok(owner) = text.trim().parse() {
                return Ok(owner);
            }
            tracing::warn!(path = %path.display(), "it holds no id; a new one is chosen");
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(broken(error)),
    }
    let owner = Uuid::new_v4();
    std::fs::write(&path, format!("{owner}\n")).map_err(broken)?;
    Ok(owner)
}

/// The fence among what came of steps.
pub(crate) fn fence_of(done: &[Done]) -> Option<Fence> {
    done.iter().find_map(|done| match done {
        Done::Claimed(fence) => Some(*fence),
        _ => None,
    })
}

impl Manager {
    /// The step that claims a backup.
    pub(crate) fn claim(&self, id: BackupId) -> Step {
        Step::Claim {
            id,
            owner: self.owner,
            ttl: TTL,
        }
    }

    /// Changes the backup that an operation owns; with the last change it is given up.
    ///
    /// # Errors
    /// As for any change, and [`CatalogError::Fenced`] when it is another's by now.
    pub(crate) async fn change_owned(
        &self,
        running: &Running,
        from: BackupStatus,
        change: Change,
        is_last: bool,
    ) -> Result<BackupRecord, CatalogError> {
        self.change_owned_with(running, from, change, is_last, Vec::new())
            .await
    }

    /// The same, and what else becomes true with it. What else does not fit any more is left out.
    ///
    /// # Errors
    /// As [`Manager::change_owned`].
    pub(crate) async fn change_owned_with(
        &self,
        running: &Running,
        from: BackupStatus,
        change: Change,
        is_last: bool,
        more: Vec<Step>,
    ) -> Result<BackupRecord, CatalogError> {
        let (id, fence) = (running.backup, running.fence);
        let mut steps = vec![Step::ChangeBackup {
            id,
            from: vec![from],
            change: Box::new(change),
            fence,
        }];
        if let Some(fence) = fence.filter(|_| is_last) {
            steps.push(Step::Release { id, fence });
        }
        let alone = (!more.is_empty()).then(|| steps.clone());
        steps.extend(more);
        let mut done = self.catalog.commit(steps).await;
        if let (Some(alone), Err(CatalogError::Conflict { subject, .. } | CatalogError::NotFound(subject))) =
            (alone, &done)
            && *subject != id.into()
        {
            done = self.catalog.commit(alone).await;
        }
        match done?.into_iter().next() {
            Some(Done::Backup(record)) => Ok(*record),
            _ => Err(CatalogError::NotFound(id.into())),
        }
    }
}

/// Whether an operation's last change came too late: somebody reset the backup, deletes it, or took it over.
pub(crate) fn is_overtaken(error: &CatalogError) -> bool {
    matches!(
        error,
        CatalogError::Conflict { .. } | CatalogError::Fenced(_) | CatalogError::NotFound(_)
    )
}

/// Renews the claims of what runs, for as long as the manager lives.
pub(crate) fn keep(manager: &Arc<Manager>) {
    let manager = Arc::downgrade(manager);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(RENEW).await;
            if renew(&manager).await.is_none() {
                return;
            }
        }
    });
}

async fn renew(manager: &Weak<Manager>) -> Option<()> {
    let manager = manager.upgrade()?;
    for (id, fence, cancel) in manager.operations.owned() {
        match manager.catalog.renew(id, fence, TTL).await {
            Ok(()) => {}
            Err(error) if is_overtaken(&error) => {
                tracing::warn!(backup_id = %id, %error, "an operation ends, for the backup is another's now");
                cancel.cancel();
            }
            Err(error) => tracing::warn!(backup_id = %id, %error, "a claim cannot be renewed now"),
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_folder_claims_in_one_name_in_all_its_lives() {
        let folder = tempfile::tempdir().unwrap();
        let first = owner(folder.path()).unwrap();
        assert_eq!(owner(folder.path()).unwrap(), first);
        std::fs::write(folder.path().join(OWNER), "damaged").unwrap();
        let second = owner(folder.path()).unwrap();
        assert!(second != first && owner(folder.path()).unwrap() == second);
        assert!(owner(&folder.path().join("absent")).is_err());
    }
}
