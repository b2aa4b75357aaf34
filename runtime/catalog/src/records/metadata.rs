//! How the metadata of a record changes: a step of the catalog's, so that two who add a key at once both have it.

use std::collections::BTreeMap;

/// What becomes of the keys and values of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetadataChange {
    /// These and no others.
    Replace(BTreeMap<String, String>),
    /// These, beside the others.
    Add(BTreeMap<String, String>),
    /// All but this one.
    Remove(String),
}

impl MetadataChange {
    /// Makes the change.
    pub(crate) fn apply(self, metadata: &mut BTreeMap<String, String>) {
        match self {
            MetadataChange::Replace(all) => *metadata = all,
            MetadataChange::Add(some) => metadata.extend(some),
            MetadataChange::Remove(key) => drop(metadata.remove(&key)),
        }
    }
}
