//! Volumes that exist already: block devices, NBD exports and files that the configuration names in `[volumes.NAME]`.
//!
//! At each start every one of them has a record, whose id follows from its location, so that backups made by path and by id
//! are of the same volume. One that is no longer named goes out of the lists; its backups stay. Sizes are read in the
//! background, since an export may hang.

use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_catalog::{
    CatalogError, Filter, Repository as _, Step, VolumeChange, VolumeColumn, VolumeId, VolumeQuery,
    VolumeRecord, VolumeStatus,
};
use cofferdam_transfer::Source;
use jiff::Timestamp;

use super::{VOLUME_TYPE, blocking};
use crate::create::volume_id;
use crate::error::ManagerError;
use crate::manager::Manager;

/// One section `[volumes.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// What it is called.
    pub name: String,
    /// An absolute path, or the URL of an NBD export.
    pub location: PathBuf,
    /// The project that it belongs to.
    pub project_id: String,
}

impl Manager {
    /// Brings the records in line with the configuration.
    ///
    /// # Errors
    /// When the catalog cannot be read or written.
    pub(crate) async fn register_volumes(self: &Arc<Self>) -> Result<(), ManagerError> {
        let known = VolumeQuery {
            filters: vec![Filter::Equal(VolumeColumn::Managed, "false".into())],
            limit: u32::MAX,
            ..VolumeQuery::default()
        };
        let registered = &self.options.registered_volumes;
        for record in self.catalog.list_volumes(&known).await? {
            if registered.iter().all(|one| volume_id(&one.location) != record.id) {
                let deleting = VolumeChange::to(VolumeStatus::Deleting);
                self.change_volume(record.id, VolumeStatus::ALL, deleting).await?;
                let step = Step::DeleteVolume { id: record.id };
                self.catalog.commit(vec![step]).await?;
            }
        }
        for one in registered {
            let id = volume_id(&one.location);
            match self.catalog.volume(id).await {
                Ok(_) => {}
                Err(CatalogError::NotFound(_)) => self.register(id, one).await?,
                Err(error) => return Err(error.into()),
            }
        }
        let (manager, registered) = (self.clone(), registered.clone());
        tokio::spawn(async move {
            for one in registered {
                manager.look_at(one).await;
            }
        });
        Ok(())
    }

    async fn register(&self, id: VolumeId, one: &Registered) -> Result<(), ManagerError> {
        let mut record = VolumeRecord::new(id, &one.location.to_string_lossy(), Timestamp::now());
        record.project_id = one.project_id.clone();
        record.name = Some(one.name.clone());
        record.volume_type = VOLUME_TYPE.into();
        record.availability_zone = self.options.availability_zone.clone();
        let insert = Step::InsertVolume {
            record: Box::new(record),
            quotas: None,
        };
        match self.catalog.commit(vec![insert]).await {
            // It was registered before, and taken out: the record of then stays deleted, and this one is shown again.
            Err(CatalogError::Exists(_)) => {
                tracing::warn!(
                    volume = one.name,
                    "a volume that was taken out of the configuration once cannot be shown again; backups by its path work"
                );
                Ok(())
            }
            other => Ok(other.map(drop)?),
        }
    }

    /// Reads a registered volume's size.
    async fn look_at(&self, one: Registered) {
        let (id, path) = (volume_id(&one.location), one.location.clone());
        let size = blocking(move || Ok(Source::open(&path)?.size().div_ceil(1 << 30))).await;
        let Ok(record) = self.catalog.volume(id).await else {
            return;
        };
        let change = match &size {
            Ok(size_gib) => VolumeChange {
                size_gib: Some(*size_gib),
                reset: true,
                ..match record.status {
                    VolumeStatus::Creating | VolumeStatus::Error => VolumeChange::to(VolumeStatus::Available),
                    _ => VolumeChange::default(),
                }
            },
            Err(error) => VolumeChange {
                reset: true,
                ..VolumeChange::failed(VolumeStatus::Error, &error.to_string())
            },
        };
        let step = Step::change_volume(id, VolumeStatus::ALL, change);
        if let Err(error) = self
            .catalog
            .commit(vec![step])
            .await
            .map_err(ManagerError::from)
            .and(size)
        {
            tracing::warn!(volume = one.name, %error, "a registered volume cannot be looked at");
        }
    }
}
