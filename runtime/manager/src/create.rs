//! Making a backup: refuse early, choose a backend, record, and begin. What is refused leaves nothing behind; what is
//! recorded is `creating` until [`transfer`] has carried it out.

mod source;
mod transfer;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_catalog::{BackupId, BackupRecord, BackupStatus, Repository as _, SnapshotId, Step, VolumeId};
use cofferdam_transfer::{TransferError, is_volume};
use jiff::Timestamp;
use uuid::Uuid;

use self::source::Origin;
use self::transfer::Manner;
pub(crate) use self::transfer::unless_stopped;
use crate::caller::Caller;
use crate::claims::fence_of;
use crate::error::ManagerError;
use crate::manager::Manager;
use crate::operations::{OperationKind, OperationStatus};
use crate::schedule::{Because, Chosen, Wanted};

/// What is backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupSource {
    /// Absolute path of a raw file or a block device, or URL of an NBD export.
    Path(PathBuf),
    /// A volume of this service.
    Volume(VolumeId),
    /// A snapshot of that volume.
    Snapshot(VolumeId, SnapshotId),
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct NewBackup {
    /// What is backed up.
    pub source: BackupSource,
    /// The backend; chosen when absent.
    pub backend: Option<String>,
    /// The availability zone that the backend must be in; any when absent.
    pub availability_zone: Option<String>,
    /// Name for people.
    pub name: Option<String>,
    /// Description for people.
    pub description: Option<String>,
    /// Container instead of the driver's choice.
    pub container: Option<String>,
    /// Keys and values of its owner's.
    pub metadata: BTreeMap<String, String>,
    /// Only what has changed since the newest sound backup of this volume.
    pub incremental: bool,
    /// Only what has changed since that backup, whatever it is of: how a chain is continued that was adopted.
    pub parent: Option<BackupId>,
    /// Also of a volume that is in use and changes meanwhile (Cinder's `force`).
    pub force: bool,
}

/// Longest text that a record holds; Cinder's columns have 255 characters.
const MAX_TEXT: usize = 255;

impl Manager {
    /// Begins a backup; gives its record, and the operation that makes it.
    ///
    /// # Errors
    /// When the request is wrong, the volume cannot be read, there is nothing to build an incremental backup on, the quota is used
    /// up, or no backend can take it; nothing is recorded then.
    pub async fn create(
        self: &Arc<Self>,
        caller: &Caller,
        new: NewBackup,
    ) -> Result<(BackupRecord, OperationStatus), ManagerError> {
        self.check_running()?;
        check_texts(&new)?;
        let origin = self.origin(caller, &new).await?;
        let parent = match new.incremental || new.parent.is_some() {
            true => Some(self.parent(caller, &new, &origin).await?),
            false => None,
        };
        let backend = match (&parent, &new.backend) {
            (Some(parent), _) => Some((parent.backend.as_str(), Because::Chain)),
            (None, Some(name)) => Some((name.as_str(), Because::Asked)),
            (None, None) => None,
        };
        let wanted = Wanted {
            backend,
            zone: new.availability_zone.as_deref(),
            container: new.container.as_deref(),
        };
        let chosen = self.schedule(wanted).await?;
        let (origin, source) = origin.open(new.force).await?;
        if let Some(parent) = &parent
            && parent.volume_bytes != source.size()
        {
            return Err(TransferError::IncrementalImpossible {
                parent: parent.id.to_string(),
                reason: format!(
                    "the volume has {} bytes now, and had {} then",
                    source.size(),
                    parent.volume_bytes
                ),
            }
            .into());
        }
        let mut record = self.new_record(caller, &new, &origin, &chosen);
        record.volume_bytes = source.size();
        record.size_gib = source.size().div_ceil(1 << 30);
        if let Some(parent) = &parent {
            // The chain is of one volume, whatever it was called where the chain began.
            (record.parent_id, record.volume_id) = (Some(parent.id), parent.volume_id);
        }
        let mut steps = origin.hold();
        steps.push(Step::InsertBackup {
            record: Box::new(record.clone()),
            quotas: caller.is_counted.then(|| self.options.quotas.for_backups()),
        });
        steps.push(self.claim(record.id));
        let fence = fence_of(&self.catalog.commit(steps).await?);
        let running = self.operations.begin(OperationKind::Create, record.id, fence);
        let status = self.operations.status(running.id)?;
        let (manager, made) = (self.clone(), record.clone());
        let manner = Manner {
            force: new.force,
            again: false,
        };
        tokio::spawn(async move {
            let result = manager
                .transfer_backup(
                    record.clone(),
                    parent,
                    chosen.generation,
                    source,
                    manner,
                    &running,
                )
                .await;
            let result = manager.conclude_create(&record, &running, result).await;
            running.end(result);
        });
        Ok((made, status))
    }

    /// What an incremental backup of the volume builds on: of its available backups (of the backend that is asked for)
    /// the one of the newest data (cinder: `cinder/backup/api.py`, `create`), or the one that is asked for. One that a
    /// verification found damaged, or that builds on such a one, is passed over.
    async fn parent(
        &self,
        caller: &Caller,
        new: &NewBackup,
        origin: &Origin,
    ) -> Result<BackupRecord, ManagerError> {
        let all = match new.parent {
            Some(id) => vec![self.backup_of(caller, id).await?],
            None => self.catalog.available(origin.volume, &origin.path).await?,
        };
        let mut damaged = 0;
        for record in all {
            // A chain is of one project; and what was backed up after the snapshot was made does not come before it.
            let others = caller.is_counted && record.project_id != caller.project_id;
            if others
                || origin
                    .taken_at
                    .is_some_and(|taken| record.data_timestamp >= taken)
            {
                continue;
            }
            let elsewhere = new
                .backend
                .as_ref()
                .is_some_and(|backend| *backend != record.backend);
            if elsewhere || record.status != BackupStatus::Available {
                continue;
            }
            let chain = self.catalog.chain(record.id).await?;
            let is_damaged = |record: &BackupRecord| record.verify_result.as_deref() == Some("corrupt");
            if !chain.iter().any(is_damaged) {
                return Ok(record);
            }
            damaged += 1;
        }
        let found = match damaged {
            0 => String::new(),
            count => format!(" but {count} that a verification found damaged"),
        };
        Err(ManagerError::Invalid {
            message: format!(
                "No backups available to do an incremental backup: there is no available backup of {}{found}",
                origin.path
            ),
            remedy: "make a full backup".into(),
        })
    }

    fn new_record(&self, caller: &Caller, new: &NewBackup, origin: &Origin, chosen: &Chosen) -> BackupRecord {
        let backends = self.backends();
        let driver = backends.drivers.get(&chosen.backend);
        let mut record = BackupRecord::new(BackupId(Uuid::new_v4()), origin.volume, Timestamp::now());
        record.project_id = caller.project_id.clone();
        record.user_id = caller.user_id.clone();
        record.request_id = caller.request_id.clone();
        record.volume_path = origin.path.clone();
        record.snapshot_id = origin.snapshot;
        record.held_volume_id = origin.held();
        record.data_timestamp = origin.taken_at.unwrap_or(record.created_at);
        record.backend = chosen.backend.clone();
        record.availability_zone = chosen.zone.clone();
        record.scheduling = Some(chosen.why.clone());
        record.algorithm = driver.map_or_else(String::new, |driver| driver.options.algorithm.clone());
        record.name = new.name.clone();
        record.description = new.description.clone();
        record.metadata = new.metadata.clone();
        record.container = new.container.clone();
        record.host = self.options.host.clone();
        record
    }
}

/// So many objects, in words.
pub(crate) fn objects(count: u64) -> String {
    if count == 1 {
        "1 object".into()
    } else {
        format!("{count} objects")
    }
}

/// A volume's id: the same for the same path, so that its backups belong together.
pub(crate) fn volume_id(path: &std::path::Path) -> VolumeId {
    let url = match path.is_absolute() {
        true => format!("file://{}", path.display()),
        false => path.display().to_string(),
    };
    VolumeId(Uuid::new_v5(&Uuid::NAMESPACE_URL, url.as_bytes()))
}

fn check_texts(new: &NewBackup) -> Result<(), ManagerError> {
    for (what, text) in [
        ("name", &new.name),
        ("description", &new.description),
        ("container", &new.container),
    ] {
        let Some(text) = text else { continue };
        if text.is_empty() || text.chars().count() > MAX_TEXT || text.chars().any(char::is_control) {
            return Err(ManagerError::Invalid {
                message: format!(
                    "the {what} is empty, longer than {MAX_TEXT} characters, or has control characters"
                ),
                remedy: format!("give another {what}, or none"),
            });
        }
    }
    match &new.source {
        BackupSource::Path(path) if !is_volume(path) => Err(ManagerError::Invalid {
            message: format!("the volume {} is no absolute path and no NBD URL", path.display()),
            remedy: "give the whole path: the service may stand in another folder".into(),
        }),
        _ => Ok(()),
    }
}
