//! Taking in a backup that has no record here: made by Cinder, or by us before the catalog was lost.

use cofferdam_catalog::{BackupId, BackupRecord, BackupStatus, VolumeId};
use cofferdam_transfer::{Description, Location};
use jiff::Timestamp;
use uuid::Uuid;

use crate::error::ManagerError;
use crate::manager::Manager;

impl Manager {
    /// Reads a backup's control objects and records it as `available`. Reads no data: verify it to be sure of that.
    ///
    /// # Errors
    /// When the backend is down, the objects are not a whole full backup, or its id is recorded already.
    pub async fn adopt(
        &self,
        backend: &str,
        container: String,
        prefix: String,
    ) -> Result<BackupRecord, ManagerError> {
        self.check_running()?;
        let (backend, generation) = self.choose(Some(backend))?;
        let driver = format!("{} {}", generation.known.info.name, generation.known.info.version);
        let store = self.storage(&backend, generation);
        let location = Location { container, prefix };
        let found = cofferdam_transfer::describe(&*store, &location).await?;
        let mut record = self.adopted(found)?;
        record.backend = backend;
        record.driver = Some(driver);
        record.container = Some(location.container);
        record.prefix = Some(location.prefix);
        self.catalog.insert(&record).await?;
        Ok(record)
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
        record.volume_path = "(adopted)".into();
        record.volume_bytes = found.bytes;
        record.size_gib = found.bytes.div_ceil(1 << 30);
        record.algorithm = "(adopted)".into();
        record.object_count = found.object_count;
        record.block_size = u32::try_from(found.block_size).ok();
        Ok(record)
    }
}
