//! Taking in a backup that has no record here: made by Cinder, or by us before the catalog was lost.

use cofferdam_catalog::{BackupId, BackupRecord, BackupStatus, Repository as _, Step, VolumeId};
use cofferdam_transfer::{Description, Expected, Link, Location};
use jiff::Timestamp;
use uuid::Uuid;

use crate::caller::Caller;
use crate::error::ManagerError;
use crate::manager::Manager;

/// Where the path of the volume stands in a record that was made of what a backend holds.
pub(crate) const ADOPTED: &str = "(adopted)";

impl Manager {
    /// Reads a backup's control objects and records it as `available`. Reads no data: verify it to be sure of that.
    ///
    /// # Errors
    /// When the backend is down, the objects are not a whole backup, what it builds on is not recorded, or its id is
    /// recorded already.
    pub async fn adopt(
        &self,
        backend: &str,
        container: String,
        prefix: String,
    ) -> Result<BackupRecord, ManagerError> {
        self.adopt_with(&Caller::local(), backend, container, prefix, |_| Ok(()))
            .await
    }

    /// The same with a last look at the record before it is kept.
    pub(crate) async fn adopt_with(
        &self,
        caller: &Caller,
        backend: &str,
        container: String,
        prefix: String,
        look: impl FnOnce(&mut BackupRecord) -> Result<(), ManagerError>,
    ) -> Result<BackupRecord, ManagerError> {
        self.check_running()?;
        let (backend, generation) = self.choose(Some(backend))?;
        let driver = format!("{} {}", generation.known.info.name, generation.known.info.version);
        let store = self.storage(&backend, generation);
        let location = Location { container, prefix };
        let mut chain = vec![Link {
            location: location.clone(),
            expected: Expected::default(),
        }];
        let parent = match cofferdam_transfer::parent_of(&*store, &location).await? {
            Some(parent) => Some(self.adopted_parent(&parent, &backend).await?),
            None => None,
        };
        if let Some(parent) = parent {
            chain.extend(self.links(parent).await?);
        }
        let found = cofferdam_transfer::describe(&*store, &chain).await?;
        let mut record = self.adopted(found)?;
        record.parent_id = parent;
        record.backend = backend;
        record.driver = Some(driver);
        record.container = Some(location.container);
        record.prefix = Some(location.prefix);
        record.project_id = caller.project_id.clone();
        record.user_id = caller.user_id.clone();
        record.request_id = caller.request_id.clone();
        look(&mut record)?;
        let insert = Step::InsertBackup {
            record: Box::new(record.clone()),
            quotas: caller.is_counted.then(|| self.options.quotas.for_backups()),
        };
        self.catalog.commit(vec![insert]).await?;
        Ok(record)
    }

    /// What an incremental backup builds on must have been adopted before it.
    async fn adopted_parent(&self, parent: &str, backend: &str) -> Result<BackupId, ManagerError> {
        let missing = || ManagerError::Invalid {
            message: format!(
                "the backup builds on backup {parent:?}, which backend {backend} has no record of"
            ),
            remedy: "adopt that one first".into(),
        };
        let id = BackupId(parent.parse().map_err(|_| missing())?);
        let record = self.catalog.backup(id).await.map_err(|_| missing())?;
        if record.backend == backend {
            Ok(id)
        } else {
            Err(missing())
        }
    }

    fn adopted(&self, found: Description) -> Result<BackupRecord, ManagerError> {
        let id = |text: &str| {
            text.parse::<Uuid>().map_err(|_| ManagerError::Invalid {
                message: format!("the backup's metadata has {text:?} where an id should be"),
                remedy: "check container and prefix".into(),
            })
        };
        // Cinder writes `2024-01-02 03:04:05+00:00`; a time that cannot be read is no reason to refuse a backup.
        let created: Timestamp = found
            .created_at
            .replacen(' ', "T", 1)
            .parse()
            .unwrap_or_else(|_| Timestamp::now());
        let mut record = BackupRecord::new(
            BackupId(id(&found.backup_id)?),
            VolumeId(id(&found.volume_id)?),
            created,
        );
        record.status = BackupStatus::Available;
        record.placed = true;
        record.host = self.options.host.clone();
        record.availability_zone = self.options.availability_zone.clone();
        record.name = found.name;
        record.description = found.description;
        record.volume_path = ADOPTED.into();
        record.volume_bytes = found.bytes;
        record.size_gib = found.bytes.div_ceil(1 << 30);
        record.algorithm = "(adopted)".into();
        record.object_count = found.object_count;
        record.block_size = u32::try_from(found.block_size).ok();
        Ok(record)
    }
}
