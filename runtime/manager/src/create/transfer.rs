//! Carrying a backup out: place it, transfer it, and tell the truth about how it ended; also when it was interrupted and goes on.

use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_catalog::{BackupId, BackupRecord, BackupStatus, Change, Fence, Repository as _};
use cofferdam_sandbox::contract::{BackupIdentity, Placement};
use cofferdam_sandbox::units::show_bytes;
use cofferdam_transfer::{BackupOutcome, BackupPlan, Parent, Source, TransferError};

use super::objects;
use crate::claims::is_overtaken;
use crate::driver::Generation;
use crate::error::ManagerError;
use crate::manager::Manager;
use crate::messages::Trouble;
use crate::operations::{OperationKind, Running};
use crate::restore::{expected, location};
use crate::volume_meta;
use crate::volumes::blocking;

/// How a backup is to be made, besides what its record says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) force: bool,
    /// An earlier life of this process has begun it.
    pub(super) again: bool,
}

/// Longest object prefix.
const MAX_PREFIX: usize = 255;

impl Manager {
    /// Goes on with a backup that an earlier life of this process began.
    pub(crate) fn resume_create(self: &Arc<Self>, record: BackupRecord, fence: Fence) {
        let running = self
            .operations
            .begin(OperationKind::Create, record.id, Some(fence));
        let manager = self.clone();
        tokio::spawn(async move {
            let id = record.id;
            let result = manager.create_again(record.clone(), &running).await;
            let result = manager.conclude_create(&record, &running, result).await;
            tracing::debug!(backup_id = %id, is_ok = result.is_ok(), "an interrupted backup has ended");
            running.end(result);
        });
    }

    async fn create_again(&self, record: BackupRecord, running: &Running) -> Result<String, ManagerError> {
        self.supervisor.settled(&record.backend).await;
        let (_, generation) = self.choose(Some(&record.backend))?;
        let parent = match record.parent_id {
            Some(parent) => Some(self.catalog.backup(parent).await?),
            None => None,
        };
        let path = PathBuf::from(&record.volume_path);
        let source = blocking(move || Ok(Source::open(&path)?)).await?;
        if source.size() != record.volume_bytes {
            return Err(TransferError::VolumeChanged {
                path: source.path().to_owned(),
                reason: format!(
                    "it had {} bytes when the backup began and has {} now",
                    record.volume_bytes,
                    source.size()
                ),
            }
            .into());
        }
        let manner = Manner {
            force: self.forced(record.id),
            again: true,
        };
        self.transfer_backup(record, parent, generation, source, manner, running)
            .await
    }

    pub(super) async fn transfer_backup(
        &self,
        record: BackupRecord,
        parent: Option<BackupRecord>,
        generation: Arc<Generation>,
        source: Source,
        manner: Manner,
        running: &Running,
    ) -> Result<String, ManagerError> {
        if manner.force {
            self.remember_force(record.id);
        }
        let _place = unless_stopped(running, self.admission.enter(&record.project_id)).await?;
        let placement = match placed(&record) {
            Some(placement) => placement,
            None => self.place(&record, &generation, running).await?,
        };
        let plan = BackupPlan {
            backup_id: record.id.to_string(),
            volume_id: record.volume_id.to_string(),
            name: record.name.clone(),
            description: record.description.clone(),
            created_at: record.created_at,
            volume_meta: self.volume_meta(&record).await,
            parent: match &parent {
                Some(parent) => Some(Parent {
                    backup_id: parent.id.to_string(),
                    location: location(parent)?,
                    bytes: parent.volume_bytes,
                    seals: expected(parent).seals,
                }),
                None => None,
            },
            placement,
            algorithm: record.algorithm.parse()?,
            spool: self.options.state_path.clone(),
            force: manner.force,
            journal: self.options.resume_backups.then(|| self.journal(record.id)),
            again: manner.again,
        };
        let store = self.storage(&record.backend, generation);
        let outcome = cofferdam_transfer::backup(store, source, plan, running.control.clone()).await?;
        let summary = summary(&outcome);
        let change = Change {
            object_count: Some(outcome.object_count),
            stored_bytes: Some(outcome.stored_bytes),
            metadata_seal: Some(outcome.seals.metadata),
            sha256file_seal: Some(outcome.seals.sha256file),
            ..Change::to(BackupStatus::Available)
        };
        // At once, so that whoever sees the backup available can use the volume.
        let free = self.releasing(&record, false).await;
        self.change_owned_with(running, BackupStatus::Creating, change, true, free)
            .await?;
        Ok(summary)
    }

    /// What is kept of a volume of this service beside its data.
    async fn volume_meta(&self, record: &BackupRecord) -> Option<String> {
        let volume = self.catalog.volume(record.volume_id).await.ok()?;
        Some(volume_meta::encode(&volume))
    }

    /// Asks the driver where the backup goes, and records it.
    async fn place(
        &self,
        record: &BackupRecord,
        generation: &Generation,
        running: &Running,
    ) -> Result<Placement, ManagerError> {
        let identity = BackupIdentity {
            backup_id: record.id.to_string(),
            volume_id: record.volume_id.to_string(),
            timestamp: record.created_at.strftime("%Y%m%d%H%M%S").to_string(),
            availability_zone: record.availability_zone.clone(),
        };
        let placement = {
            let instance = generation.lease().await?;
            instance.place_backup(identity, record.container.clone()).await?
        };
        check_placement(&placement, record.id)?;
        let info = &generation.known.info;
        // From here on there may be something on the backend: recorded before the first byte is.
        let change = Change {
            placed: Some(true),
            driver: Some(format!("{} {}", info.name, info.version)),
            container: Some(placement.container.clone()),
            prefix: Some(placement.prefix.clone()),
            object_size: Some(placement.object_size),
            block_size: Some(placement.block_size),
            ..Change::default()
        };
        self.change_owned(running, BackupStatus::Creating, change, false)
            .await?;
        Ok(placement)
    }

    /// A create that failed leaves its record in `error`, with the reason, and a message to its project; one that was told to stop
    /// with the service and can go on at the next start leaves it as it is. Whatever it read is free again.
    pub(super) async fn conclude_create(
        &self,
        record: &BackupRecord,
        running: &Running,
        result: Result<String, ManagerError>,
    ) -> Result<String, ManagerError> {
        let id = record.id;
        if let Err(error) = &result {
            let is_stopped = error.code() == "cancelled" && !running.control.cancel.is_cancelled_alone();
            if self.options.resume_backups && is_stopped {
                tracing::info!(backup_id = %id, "the backup goes on at the next start");
                return Err(ManagerError::Stopping);
            }
            tracing::warn!(backup_id = %id, code = error.code(), %error, "the backup failed");
            let change = Change::failed(BackupStatus::Error, error.code(), &error.to_string());
            let free = self.releasing(record, true).await;
            match self
                .change_owned_with(running, BackupStatus::Creating, change, true, free)
                .await
            {
                Err(error) if is_overtaken(&error) => self.release_source(record).await,
                other => {
                    other?;
                    let request = record.request_id.as_deref();
                    self.tell(&record.project_id, request, Trouble::Create(id), error)
                        .await;
                }
            }
        }
        self.forget_journal(id);
        result
    }
}

/// Waits for something, unless the operation is to stop.
pub(crate) async fn unless_stopped<T>(
    running: &Running,
    wait: impl Future<Output = T>,
) -> Result<T, ManagerError> {
    tokio::select! {
        biased;
        () = running.control.cancel.cancelled() => Err(TransferError::Cancelled.into()),
        value = wait => Ok(value),
    }
}

/// Where a backup was placed already.
fn placed(record: &BackupRecord) -> Option<Placement> {
    let placement = Placement {
        container: record.container.clone()?,
        prefix: record.prefix.clone()?,
        object_size: record.object_size?,
        block_size: record.block_size?,
    };
    record.placed.then_some(placement)
}

/// What came of a backup, in a sentence.
fn summary(outcome: &BackupOutcome) -> String {
    let mut text = format!(
        "{} in {}, {} stored, {} of holes and zeros skipped",
        show_bytes(outcome.bytes),
        objects(outcome.object_count),
        show_bytes(outcome.stored_bytes),
        show_bytes(outcome.zero_bytes)
    );
    if outcome.resumed > 0 {
        text.push_str(&format!(
            "; {} of them stored before an interruption",
            outcome.resumed
        ));
    }
    if outcome.changed {
        text.push_str("; the volume changed meanwhile, so this is not its state at one moment");
    }
    text
}

/// A driver's placement is hostile until checked: a prefix without the backup's id could be another backup's too.
fn check_placement(placement: &Placement, id: BackupId) -> Result<(), ManagerError> {
    let (container, prefix) = (&placement.container, &placement.prefix);
    let sound =
        |text: &str| !text.is_empty() && text.len() <= MAX_PREFIX && !text.chars().any(char::is_control);
    if sound(container) && sound(prefix) && prefix.contains(&id.to_string()) {
        return Ok(());
    }
    Err(ManagerError::Invalid {
        message: format!(
            "the driver placed the backup at container {container:?}, prefix {prefix:?}; both must be 1 to {MAX_PREFIX} \
             bytes, and the prefix must hold the backup's id"
        ),
        remedy: "report this to the driver's author".into(),
    })
}
