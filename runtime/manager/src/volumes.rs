//! Volumes: raw files in configured folders, and block devices or NBD exports that the configuration registers. A small part of
//! what Cinder's volume service does, so that its clients work without one.
//!
//! How: a record first, then the file, then the record again; whoever is killed in between leaves a record that says so, which
//! the next start puts right ([`Manager::recover_volumes`]). A volume's file is named `volume-<id>`, a snapshot's
//! `snapshot-<id>`. Registered volumes are never made, extended or removed here.

mod create;
mod recover;
mod register;
mod snapshots;

use std::path::PathBuf;

use cofferdam_catalog::{
    Filter, MetadataChange, Repository as _, SnapshotColumn, SnapshotQuery, Step, Subject, VolumeChange,
    VolumeId, VolumeQuery, VolumeRecord, VolumeStatus,
};

pub use create::{NewVolume, VolumeOrigin};
pub use register::Registered;
pub use snapshots::NewSnapshot;

use crate::caller::Caller;
use crate::error::ManagerError;
use crate::images;
use crate::manager::Manager;

/// Name of the type of all volumes, Cinder's default.
pub const VOLUME_TYPE: &str = "__DEFAULT__";

/// Greatest volume.
pub const MAX_GIB: u64 = 1 << 20;

/// Statuses in which a volume may be deleted (cinder: `cinder/volume/api.py`, `delete`).
const DELETABLE: [VolumeStatus; 6] = [
    VolumeStatus::Available,
    VolumeStatus::Error,
    VolumeStatus::ErrorDeleting,
    VolumeStatus::ErrorRestoring,
    VolumeStatus::ErrorExtending,
    VolumeStatus::ErrorBackingUp,
];

/// What somebody changes on a volume or a snapshot; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// The name.
    pub name: Option<Option<String>>,
    /// The description.
    pub description: Option<Option<String>>,
    /// The metadata.
    pub metadata: Option<MetadataChange>,
    /// Whether a machine may boot from it.
    pub bootable: Option<bool>,
    /// Whether it may not be written to.
    pub read_only: Option<bool>,
}

impl Manager {
    /// One volume.
    ///
    /// # Errors
    /// When there is none of that id for this caller.
    pub async fn volume(&self, caller: &Caller, id: VolumeId) -> Result<VolumeRecord, ManagerError> {
        let record = self.catalog.volume(id).await?;
        match caller.sees(&record.project_id) {
            true => Ok(record),
            false => Err(Subject::Volume(id).into()),
        }
    }

    /// A page of volumes.
    ///
    /// # Errors
    /// When the query makes no sense, or the catalog cannot be read.
    pub async fn volumes(&self, query: &VolumeQuery) -> Result<Vec<VolumeRecord>, ManagerError> {
        Ok(self.catalog.list_volumes(query).await?)
    }

    /// How many volumes there are on all pages.
    ///
    /// # Errors
    /// As [`Manager::volumes`].
    pub async fn count_volumes(&self, query: &VolumeQuery) -> Result<u64, ManagerError> {
        Ok(self.catalog.count_volumes(query).await?)
    }

    /// Changes what a volume is called, and the like.
    ///
    /// # Errors
    /// When there is none of that id for this caller.
    pub async fn edit_volume(
        &self,
        caller: &Caller,
        id: VolumeId,
        edit: Edit,
    ) -> Result<VolumeRecord, ManagerError> {
        self.volume(caller, id).await?;
        let change = VolumeChange {
            name: edit.name,
            description: edit.description,
            metadata: edit.metadata,
            bootable: edit.bootable,
            read_only: edit.read_only,
            ..VolumeChange::default()
        };
        self.change_volume(id, VolumeStatus::ALL, change).await
    }

    /// Sets a volume's status, whatever it is (Cinder's `os-reset_status`).
    ///
    /// # Errors
    /// When there is none of that id for this caller, or no such status can be set.
    pub async fn reset_volume(
        &self,
        caller: &Caller,
        id: VolumeId,
        status: VolumeStatus,
    ) -> Result<(), ManagerError> {
        self.volume(caller, id).await?;
        let change = VolumeChange {
            reset: true,
            ..VolumeChange::to(status)
        };
        self.change_volume(id, VolumeStatus::ALL, change).await.map(drop)
    }

    /// Makes a volume greater, to so many GiB.
    ///
    /// # Errors
    /// When it is not `available`, not smaller, registered, beyond the quota, or the file system refuses.
    pub async fn extend_volume(
        &self,
        caller: &Caller,
        id: VolumeId,
        size_gib: u64,
    ) -> Result<(), ManagerError> {
        let record = self.volume(caller, id).await?;
        if record.status != VolumeStatus::Available {
            return Err(wrong_status(&record, "it must be available to be extended"));
        }
        if size_gib <= record.size_gib || size_gib > MAX_GIB {
            return Err(ManagerError::Invalid {
                message: format!(
                    "the new size must be greater than the present one and at most {MAX_GIB} GiB (present: {} GiB, new: \
                     {size_gib} GiB)",
                    record.size_gib
                ),
                remedy: "ask for another size".into(),
            });
        }
        must_be_managed(&record, "extended")?;
        let change = VolumeChange {
            size_gib: Some(size_gib),
            ..VolumeChange::to(VolumeStatus::Extending)
        };
        let step = Step::ChangeVolume {
            id,
            from: vec![VolumeStatus::Available],
            change: Box::new(change),
            quotas: caller.is_counted.then(|| self.options.quotas.for_volumes()),
        };
        self.catalog.commit(vec![step]).await?;
        let path = PathBuf::from(&record.location);
        let extended = blocking(move || images::extend(&path, size_gib << 30)).await;
        let change = match &extended {
            Ok(()) => VolumeChange::to(VolumeStatus::Available),
            Err(error) => VolumeChange {
                size_gib: Some(record.size_gib),
                ..VolumeChange::failed(VolumeStatus::ErrorExtending, &error.to_string())
            },
        };
        self.change_volume(id, &[VolumeStatus::Extending], change).await?;
        extended
    }

    /// Deletes a volume with its file. With `force` whatever its status is.
    ///
    /// # Errors
    /// When its status forbids it, it is registered, has snapshots, or the file system refuses.
    pub async fn delete_volume(
        &self,
        caller: &Caller,
        id: VolumeId,
        force: bool,
    ) -> Result<(), ManagerError> {
        let record = self.volume(caller, id).await?;
        must_be_managed(&record, "deleted")?;
        if !force && !DELETABLE.contains(&record.status) {
            return Err(wrong_status(
                &record,
                "it must be available or in error to be deleted",
            ));
        }
        let snapshots = SnapshotQuery {
            filters: vec![Filter::Equal(SnapshotColumn::VolumeId, id.to_string())],
            ..SnapshotQuery::default()
        };
        if self.catalog.count_snapshots(&snapshots).await? > 0 {
            return Err(ManagerError::Invalid {
                message: format!("volume {id} still has snapshots"),
                remedy: "delete those first".into(),
            });
        }
        let from = if force { VolumeStatus::ALL } else { &DELETABLE };
        self.change_volume(id, from, VolumeChange::to(VolumeStatus::Deleting))
            .await?;
        self.finish_delete_volume(&record).await
    }

    /// Removes the file of a volume that is `deleting`, and its record from the lists.
    async fn finish_delete_volume(&self, record: &VolumeRecord) -> Result<(), ManagerError> {
        let path = PathBuf::from(&record.location);
        let id = record.id;
        let removed = blocking(move || images::remove(&path)).await;
        if let Err(error) = removed {
            let change = VolumeChange::failed(VolumeStatus::ErrorDeleting, &error.to_string());
            self.change_volume(id, &[VolumeStatus::Deleting], change).await?;
            return Err(error);
        }
        self.catalog.commit(vec![Step::DeleteVolume { id }]).await?;
        Ok(())
    }

    pub(crate) async fn change_volume(
        &self,
        id: VolumeId,
        from: &[VolumeStatus],
        change: VolumeChange,
    ) -> Result<VolumeRecord, ManagerError> {
        self.catalog
            .commit(vec![Step::change_volume(id, from, change)])
            .await?;
        Ok(self.catalog.volume(id).await?)
    }

    /// Where a new volume's or snapshot's file goes: into the folder with the most room.
    fn place_of(&self, name: &str) -> Result<PathBuf, ManagerError> {
        let folders = &self.options.volume_folders;
        let roomiest = folders.iter().max_by_key(|folder| images::room(folder));
        roomiest
            .map(|folder| folder.join(name))
            .ok_or_else(|| ManagerError::Invalid {
                message: "no folder for volumes is configured, so none can be made here".into(),
                remedy: "set volume_folders in the configuration".into(),
            })
    }
}

/// Runs what blocks on a thread for that.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ManagerError> + Send + 'static,
) -> Result<T, ManagerError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| ManagerError::Catalog(error.to_string()))?
}

pub(crate) fn wrong_status(record: &VolumeRecord, wanted: &str) -> ManagerError {
    ManagerError::WrongStatus {
        what: "volume",
        id: record.id.to_string(),
        status: record.status.to_string(),
        wanted: wanted.into(),
    }
}

fn must_be_managed(record: &VolumeRecord, what: &str) -> Result<(), ManagerError> {
    if record.managed {
        return Ok(());
    }
    Err(ManagerError::Invalid {
        message: format!(
            "volume {} is registered in the configuration, so it cannot be {what} here",
            record.id
        ),
        remedy: "do it where it comes from, or take its section out of the configuration".into(),
    })
}
