//! Making a backup: refuse early, record, place, transfer, and tell the truth about how it ended.

use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_catalog::{BackupId, BackupRecord, BackupStatus, Change, Repository, VolumeId};
use cofferdam_sandbox::contract::{BackupIdentity, Placement};
use cofferdam_sandbox::units::show_bytes;
use cofferdam_transfer::{BackupOutcome, BackupPlan, Parent, Source, TransferError, is_volume};
use jiff::Timestamp;
use uuid::Uuid;

use crate::driver::Generation;
use crate::error::ManagerError;
use crate::manager::Manager;
use crate::operations::{OperationKind, OperationStatus, Running};
use crate::restore::{expected, location};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct NewBackup {
    /// The volume: absolute path of a raw file or a block device, or URL of an NBD export.
    pub volume: PathBuf,
    /// The backend; the first one that is up when absent.
    pub backend: Option<String>,
    /// Name for people.
    pub name: Option<String>,
    /// Description for people.
    pub description: Option<String>,
    /// Container instead of the driver's choice.
    pub container: Option<String>,
    /// Only what has changed since the newest sound backup of this volume.
    pub incremental: bool,
    /// Only what has changed since that backup, whatever it is of: how a chain is continued that was adopted.
    pub parent: Option<BackupId>,
    /// Also of a volume that is in use and changes meanwhile (Cinder's `force`).
    pub force: bool,
}

/// How a backup is to be made, besides what its record says.
#[derive(Debug, Clone, Copy)]
struct Manner {
    force: bool,
    /// An earlier life of this process has begun it.
    again: bool,
}

/// Longest text that a record holds; Cinder's columns have 255 characters.
const MAX_TEXT: usize = 255;

/// Longest object prefix.
const MAX_PREFIX: usize = 255;

impl Manager {
    /// Begins a backup.
    ///
    /// # Errors
    /// When the request is wrong, the volume cannot be read, there is nothing to build an incremental backup on, or the
    /// backend is down; nothing is recorded then.
    pub async fn create(self: &Arc<Self>, new: NewBackup) -> Result<OperationStatus, ManagerError> {
        self.check_running()?;
        check_texts(&new)?;
        let parent = match new.incremental || new.parent.is_some() {
            true => Some(self.parent(&new).await?),
            false => None,
        };
        let asked = parent
            .as_ref()
            .map(|parent| &parent.backend)
            .or(new.backend.as_ref());
        let (backend, generation) = self.choose(asked.map(String::as_str))?;
        let volume = new.volume.clone();
        let source = tokio::task::spawn_blocking(move || Source::open(&volume))
            .await
            .map_err(|error| ManagerError::Catalog(error.to_string()))??;
        if source.size() == 0 {
            return Err(TransferError::EmptyVolume { path: new.volume }.into());
        }
        if !new.force {
            source.check_unused()?;
        }
        let mut record = self.new_record(&new, &backend, &source);
        if let Some(parent) = &parent {
            // The chain is of one volume, whatever it was called where the chain began.
            (record.parent_id, record.volume_id) = (Some(parent.id), parent.volume_id);
        }
        record.container = new.container.clone();
        self.catalog.insert(&record).await?;
        let running = self.operations.begin(OperationKind::Create, record.id);
        let status = self.operations.status(running.id)?;
        let manager = self.clone();
        let manner = Manner {
            force: new.force,
            again: false,
        };
        tokio::spawn(async move {
            let id = record.id;
            let result = manager
                .transfer_backup(record, parent, generation, source, manner, &running)
                .await;
            let result = manager.conclude_create(id, result).await;
            running.end(result);
        });
        Ok(status)
    }

    /// Goes on with a backup that an earlier life of this process began.
    pub(crate) fn resume_create(self: &Arc<Self>, record: BackupRecord) {
        let running = self.operations.begin(OperationKind::Create, record.id);
        let manager = self.clone();
        tokio::spawn(async move {
            let id = record.id;
            let result = manager.create_again(record, &running).await;
            let result = manager.conclude_create(id, result).await;
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
        let source = tokio::task::spawn_blocking(move || Source::open(&path))
            .await
            .map_err(|error| ManagerError::Catalog(error.to_string()))??;
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

    /// What an incremental backup of the volume builds on: of its available backups (of the backend that is asked for)
    /// the one of the newest data (cinder: `cinder/backup/api.py`, `create`), or the one that is asked for. One that a
    /// verification found damaged, or that builds on such a one, is passed over.
    async fn parent(&self, new: &NewBackup) -> Result<BackupRecord, ManagerError> {
        let path = new.volume.to_string_lossy();
        let all = match new.parent {
            Some(id) => vec![self.catalog.backup(id).await?],
            None => self.catalog.available(volume_id(&new.volume), &path).await?,
        };
        let mut damaged = 0;
        for record in all {
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
                "there is no available backup of {} to build an incremental one on{found}",
                new.volume.display()
            ),
            remedy: "make a full backup".into(),
        })
    }

    fn new_record(&self, new: &NewBackup, backend: &str, source: &Source) -> BackupRecord {
        let algorithm = self
            .backends()
            .drivers
            .get(backend)
            .map_or_else(String::new, |driver| driver.options.algorithm.clone());
        let mut record =
            BackupRecord::new(BackupId(Uuid::new_v4()), volume_id(&new.volume), Timestamp::now());
        record.volume_path = new.volume.to_string_lossy().into_owned();
        record.volume_bytes = source.size();
        record.size_gib = source.size().div_ceil(1 << 30);
        record.backend = backend.to_owned();
        record.algorithm = algorithm;
        record.name = new.name.clone();
        record.description = new.description.clone();
        record.availability_zone = self.options.availability_zone.clone();
        record.host = self.options.host.clone();
        record
    }

    async fn transfer_backup(
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
        let placement = match placed(&record) {
            Some(placement) => placement,
            None => self.place(&record, &generation).await?,
        };
        let plan = BackupPlan {
            backup_id: record.id.to_string(),
            volume_id: record.volume_id.to_string(),
            name: record.name.clone(),
            description: record.description.clone(),
            created_at: record.created_at,
            volume_meta: None,
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
        self.catalog
            .transition(record.id, &[BackupStatus::Creating], change)
            .await?;
        Ok(summary)
    }

    /// Asks the driver where the backup goes, and records it.
    async fn place(&self, record: &BackupRecord, generation: &Generation) -> Result<Placement, ManagerError> {
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
        self.catalog
            .transition(record.id, &[BackupStatus::Creating], change)
            .await?;
        Ok(placement)
    }

    /// A create that failed leaves its record in `error`, with the reason; one that was told to stop and can go on at the next
    /// start leaves it as it is.
    async fn conclude_create(
        &self,
        id: BackupId,
        result: Result<String, ManagerError>,
    ) -> Result<String, ManagerError> {
        if let Err(error) = &result {
            if self.options.resume_backups && error.code() == "cancelled" {
                tracing::info!(backup_id = %id, "the backup goes on at the next start");
                return Err(ManagerError::Stopping);
            }
            tracing::warn!(backup_id = %id, code = error.code(), %error, "the backup failed");
            let change = Change::failed(BackupStatus::Error, error.code(), &error.to_string());
            self.catalog
                .transition(id, &[BackupStatus::Creating], change)
                .await?;
        }
        self.forget_journal(id);
        result
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

/// So many objects, in words.
pub(crate) fn objects(count: u64) -> String {
    if count == 1 {
        "1 object".into()
    } else {
        format!("{count} objects")
    }
}

/// A volume's id: the same for the same path, so that its backups belong together.
fn volume_id(path: &std::path::Path) -> VolumeId {
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
    if !is_volume(&new.volume) {
        return Err(ManagerError::Invalid {
            message: format!(
                "the volume {} is no absolute path and no NBD URL",
                new.volume.display()
            ),
            remedy: "give the whole path: the service may stand in another folder".into(),
        });
    }
    Ok(())
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
