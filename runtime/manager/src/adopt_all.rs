//! Taking in every backup that a backend holds: after the catalog was lost, or when Cofferdam takes over from Cinder.
//!
//! How: the containers that the driver can list are listed; an object whose name ends as a commit mark does is a backup's;
//! what a backup builds on is taken in before it. One that cannot be taken in is told with its reason and holds up no other.
//! Bound: the names of one container, and the places of all backups, in memory. Cost: the control objects of every backup that
//! is not known yet.

use std::collections::BTreeSet;

use cofferdam_catalog::{BackupId, BackupRecord, CatalogError, Repository as _};
use cofferdam_transfer::documents::{classify, metadata_name};
use cofferdam_transfer::{Location, ObjectKind, TransferError, list_all, parent_of};

use crate::error::ManagerError;
use crate::manager::Manager;

/// Names of one container.
const MOST: usize = 1_000_000;

/// Containers of one page of a listing, and in all.
const PAGE: u32 = 1000;
const MOST_CONTAINERS: usize = 1_000_000;

/// What came of it.
#[derive(Debug, Default)]
pub struct Adopted {
    /// Taken in now, what others build on before those.
    pub adopted: Vec<BackupRecord>,
    /// Backups that have a record here already.
    pub known: u64,
    /// What looks like a backup and could not be taken in: container, prefix, why.
    pub refused: Vec<(String, String, ManagerError)>,
}

impl Manager {
    /// Takes in all backups that a backend holds and that have no record here; of one container only when that is given.
    ///
    /// # Errors
    /// When the backend is unknown or down, its driver cannot list its containers, or a listing fails.
    pub async fn adopt_all(&self, backend: &str, container: Option<String>) -> Result<Adopted, ManagerError> {
        self.check_running()?;
        let containers = match container {
            Some(container) => vec![container],
            None => self.containers(backend).await?,
        };
        let known = self.catalog.placed(backend).await?;
        let known: BTreeSet<(String, String)> = known
            .into_iter()
            .filter(|(_, deleted)| !deleted)
            .filter_map(|(record, _)| Some((record.container?, record.prefix?)))
            .collect();
        let mut done = Adopted::default();
        let mut pending = Vec::new();
        for container in containers {
            for prefix in self.prefixes(backend, &container).await? {
                let place = (container.clone(), prefix);
                if known.contains(&place) || self.is_recorded(&place.1).await? {
                    done.known += 1;
                } else {
                    pending.push(place);
                }
            }
        }
        let mut waiting = Vec::new();
        for (container, prefix) in pending {
            match self.builds_on(backend, &container, &prefix).await {
                Ok(parent) => waiting.push((container, prefix, parent)),
                Err(error) => done.refused.push((container, prefix, error)),
            }
        }
        // Each round takes in what builds on nothing that waits; who is left at the end builds on what is not there.
        loop {
            let ids: BTreeSet<String> = waiting.iter().map(|(_, prefix, _)| prefix.clone()).collect();
            let blocked = |parent: &Option<String>| {
                parent
                    .as_ref()
                    .is_some_and(|parent| ids.iter().any(|prefix| prefix.ends_with(parent.as_str())))
            };
            let (later, now): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|(.., parent)| blocked(parent));
            let stuck = now.is_empty();
            let (now, later) = if stuck { (later, Vec::new()) } else { (now, later) };
            for (container, prefix, _) in now {
                match self.adopt(backend, container.clone(), prefix.clone()).await {
                    Ok(record) => done.adopted.push(record),
                    Err(error) => done.refused.push((container, prefix, error)),
                }
            }
            if stuck || later.is_empty() {
                return Ok(done);
            }
            waiting = later;
        }
    }

    /// Whether a record has the id that the prefix ends with: that of another backend which reaches the same storage.
    async fn is_recorded(&self, prefix: &str) -> Result<bool, ManagerError> {
        let Some(id) = prefix.rsplit('_').next().and_then(|id| id.parse().ok()) else {
            return Ok(false);
        };
        match self.catalog.backup(BackupId(id)).await {
            Ok(_) => Ok(true),
            Err(CatalogError::NotFound(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn containers(&self, backend: &str) -> Result<Vec<String>, ManagerError> {
        let (_, generation) = self.choose(Some(backend))?;
        let mut all: Vec<String> = Vec::new();
        loop {
            let after = all.last().cloned();
            let page = {
                let instance = generation.lease().await?;
                instance.list_containers(after, PAGE).await?
            };
            let ends = !page.more || page.containers.is_empty();
            for container in page.containers {
                if all.last().is_some_and(|last| *last >= container) || all.len() >= MOST_CONTAINERS {
                    return Err(TransferError::ListingInvalid {
                        container,
                        reason: "the containers do not ascend, or there are too many".into(),
                    }
                    .into());
                }
                all.push(container);
            }
            if ends {
                return Ok(all);
            }
        }
    }

    /// What the names of each backup in the container begin with.
    async fn prefixes(&self, backend: &str, container: &str) -> Result<Vec<String>, ManagerError> {
        let (backend, generation) = self.choose(Some(backend))?;
        let store = self.storage(&backend, generation);
        let location = Location {
            container: container.to_owned(),
            prefix: "volume_".into(),
        };
        let listed = match list_all(&*store, &location, MOST).await {
            Err(TransferError::Store { failure, .. }) if failure.is_not_found() => return Ok(Vec::new()),
            listed => listed?,
        };
        let mark = metadata_name("");
        let prefixes = listed.into_iter().filter_map(|object| {
            let prefix = object.name.strip_suffix(&mark)?.to_owned();
            (classify(&prefix, &object.name) == Some(ObjectKind::Metadata)).then_some(prefix)
        });
        Ok(prefixes.collect())
    }

    /// The id of the backup that it builds on.
    async fn builds_on(
        &self,
        backend: &str,
        container: &str,
        prefix: &str,
    ) -> Result<Option<String>, ManagerError> {
        let (backend, generation) = self.choose(Some(backend))?;
        let store = self.storage(&backend, generation);
        let location = Location {
            container: container.to_owned(),
            prefix: prefix.to_owned(),
        };
        Ok(parent_of(&*store, &location).await?)
    }
}
