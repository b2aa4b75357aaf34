//! Objects on a backend that belong to no record.
//!
//! Where they come from: a delete or a clean-up that the storage refused, a catalog that was lost, another service on the
//! same storage. How: every container that a record names, deleted ones included, is listed; an object whose name is not
//! exactly one of a living record's is an orphan. Only those of backups that were deleted here are ever removed,
//! and only on request: what this service does not know may be somebody else's backup. Bound: 1,000,000 names of
//! a container in memory.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_catalog::{BackupId, BackupRecord, Repository as _};
use cofferdam_transfer::documents::classify;
use cofferdam_transfer::{Location, TransferError, list_all};

use crate::error::ManagerError;
use crate::manager::Manager;
use crate::restore::location;

/// What Cinder's names and ours begin with, whatever the driver.
const COMMON: &str = "volume_";

/// Names of one container.
const MOST: usize = 1_000_000;

/// An object that belongs to no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// Its container.
    pub container: String,
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// The deleted backup that it was of; `None`: not of this service.
    pub of: Option<BackupId>,
    /// Whether it was removed now.
    pub removed: bool,
}

impl Manager {
    /// Objects on a backend that belong to no record; with `remove`, those of backups that were deleted here are removed.
    ///
    /// # Errors
    /// When the backend is unknown or down, or a listing or a removal fails.
    pub async fn orphans(&self, backend: &str, remove: bool) -> Result<Vec<Orphan>, ManagerError> {
        self.check_running()?;
        let (backend, generation) = self.choose(Some(backend))?;
        let store = self.storage(&backend, generation);
        let mut containers: BTreeMap<String, Vec<(BackupRecord, bool)>> = BTreeMap::new();
        for (record, deleted) in self.catalog.placed(&backend).await? {
            let container = record.container.clone().unwrap_or_default();
            containers.entry(container).or_default().push((record, deleted));
        }
        let (mut all, mut dead) = (Vec::new(), BTreeMap::new());
        for (container, records) in containers {
            let own = records.iter().filter_map(|(record, _)| record.prefix.as_deref());
            let own = own.filter(|prefix| !prefix.is_empty() && !prefix.starts_with(COMMON));
            let prefixes: BTreeSet<&str> = own.chain([COMMON]).collect();
            for prefix in prefixes {
                let location = Location {
                    container: container.clone(),
                    prefix: prefix.to_owned(),
                };
                let listed = match list_all(&*store, &location, MOST).await {
                    // The container itself is not there.
                    Err(TransferError::Store { failure, .. }) if failure.is_not_found() => continue,
                    listed => listed?,
                };
                for object in listed {
                    let owner = owner(&records, &object.name);
                    if owner.is_some_and(|(_, deleted)| !deleted) {
                        continue;
                    }
                    let of = owner.map(|(record, _)| record.id);
                    if let Some((record, _)) = owner {
                        dead.insert(record.id, record.clone());
                    }
                    all.push(Orphan {
                        container: container.clone(),
                        name: object.name,
                        size: object.size,
                        of,
                        removed: false,
                    });
                }
            }
        }
        if remove {
            for (id, record) in dead {
                cofferdam_transfer::delete(&*store, &location(&record)?).await?;
                all.iter_mut()
                    .filter(|orphan| orphan.of == Some(id))
                    .for_each(|orphan| orphan.removed = true);
            }
        }
        Ok(all)
    }
}

/// The record that the name belongs to, a living one first, and whether it is deleted.
fn owner<'a>(records: &'a [(BackupRecord, bool)], name: &str) -> Option<(&'a BackupRecord, bool)> {
    let belongs = |record: &BackupRecord| {
        let prefix = record.prefix.as_deref().unwrap_or_default();
        !prefix.is_empty() && classify(prefix, name).is_some()
    };
    let owners = || records.iter().filter(|(record, _)| belongs(record));
    let living = owners().find(|(_, deleted)| !deleted);
    living
        .or_else(|| owners().next())
        .map(|(record, deleted)| (record, *deleted))
}

#[cfg(test)]
mod tests {
    use cofferdam_catalog::VolumeId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_name_belongs_to_a_record_only_when_it_is_exactly_one_of_its_forms() {
        let record = |number: u128, prefix: &str| {
            let at = "2024-01-02T03:04:05Z".parse().unwrap();
            let id = BackupId(Uuid::from_u128(number));
            let mut record = BackupRecord::new(id, VolumeId(Uuid::from_u128(9)), at);
            record.prefix = Some(prefix.into());
            record
        };
        let records = [
            (record(1, "volume_a"), true),
            (record(2, "volume_ab"), false),
            (record(3, ""), false),
        ];
        let owner =
            |name: &str| owner(&records, name).map(|(record, deleted)| (record.id.0.as_u128(), deleted));
        assert_eq!(owner("volume_a-00001"), Some((1, true)));
        assert_eq!(owner("volume_ab_metadata"), Some((2, false)));
        for name in ["volume_abc-00001", "volume_a", "volume_a-1", "volume_", ""] {
            assert_eq!(owner(name), None, "{name}");
        }
    }
}
