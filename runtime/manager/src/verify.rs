//! Reading a backup's objects and checking every byte; the result is kept on the record.

use std::sync::Arc;

use cofferdam_catalog::{BackupId, BackupStatus, Change, Repository as _};
use cofferdam_sandbox::units::show_bytes;
use cofferdam_transfer::Verdict;
use jiff::Timestamp;

use crate::caller::Caller;
use crate::error::ManagerError;
use crate::manager::Manager;
use crate::operations::{OperationKind, OperationStatus};

impl Manager {
    /// Begins a verification. The backup stays `available`: reading disturbs nobody.
    ///
    /// # Errors
    /// When there is no such backup, it is not `available`, or its backend is down.
    pub async fn verify(
        self: &Arc<Self>,
        caller: &Caller,
        id: BackupId,
    ) -> Result<OperationStatus, ManagerError> {
        self.check_running()?;
        let record = self.backup_of(caller, id).await?;
        if record.status != BackupStatus::Available {
            return Err(ManagerError::WrongStatus {
                what: "backup",
                id: id.to_string(),
                status: record.status.to_string(),
                wanted: "it must be available".into(),
            });
        }
        let (backend, generation) = self.choose(Some(&record.backend))?;
        let chain = self.links(id).await?;
        let running = self.operations.begin(OperationKind::Verify, id, None);
        let status = self.operations.status(running.id)?;
        let (manager, store) = (self.clone(), self.storage(&backend, generation));
        tokio::spawn(async move {
            let verdict = cofferdam_transfer::verify(store, &chain, running.control.clone()).await;
            let (word, result) = match verdict {
                Verdict::Ok { objects, bytes } => (
                    "ok",
                    Ok(format!(
                        "{} in {}, every byte checked",
                        show_bytes(bytes),
                        crate::create::objects(objects)
                    )),
                ),
                Verdict::Corrupt { findings } => {
                    let message = findings
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join("; ");
                    let remedy = "do not rely on this backup: make a new one, and check the storage".into();
                    (
                        "corrupt",
                        Err(ManagerError::Transfer {
                            code: "corrupt",
                            message,
                            remedy,
                        }),
                    )
                }
                Verdict::Unreadable { error } => ("unreadable", Err(ManagerError::from(error))),
            };
            let change = Change {
                verified_at: Some(Timestamp::now()),
                verify_result: Some(word.to_owned()),
                ..Change::default()
            };
            let kept = manager
                .catalog
                .transition(id, &[BackupStatus::Available, BackupStatus::Restoring], change)
                .await;
            running.end(match (result, kept) {
                (Ok(_), Err(error)) => Err(error.into()),
                (result, _) => result,
            });
        });
        Ok(status)
    }
}
