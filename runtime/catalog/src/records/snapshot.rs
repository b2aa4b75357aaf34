//! The record of a snapshot: one moment of a volume, kept as a file of its own.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{MetadataChange, SnapshotId, SnapshotStatus, VolumeId, replace};

/// One snapshot.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    missing_docs,
    reason = "the names are Cinder's columns, or explained beside them"
)]
pub struct SnapshotRecord {
    pub id: SnapshotId,
    pub project_id: String,
    pub user_id: String,
    pub volume_id: VolumeId,
    pub status: SnapshotStatus,
    pub name: Option<String>,
    pub description: Option<String>,
    pub size_gib: u64,
    /// An absolute path, or the URL of an NBD export.
    pub location: String,
    pub metadata: BTreeMap<String, String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl SnapshotRecord {
    /// A snapshot that is about to be made.
    pub fn new(id: SnapshotId, volume_id: VolumeId, location: &str, now: Timestamp) -> Self {
        SnapshotRecord {
            id,
            project_id: "admin".into(),
            user_id: "admin".into(),
            volume_id,
            status: SnapshotStatus::Creating,
            name: None,
            description: None,
            size_gib: 0,
            location: location.to_owned(),
            metadata: BTreeMap::new(),
            created_at: now,
            updated_at: now,
        }
    }
}

/// What changes on a snapshot; what is `None` stays, and `Some(None)` takes a value away.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs, reason = "the names are the record's")]
pub struct SnapshotChange {
    pub status: Option<SnapshotStatus>,
    pub name: Option<Option<String>>,
    pub description: Option<Option<String>>,
    pub location: Option<String>,
    pub metadata: Option<MetadataChange>,
    /// An administrator's reset: the table does not bind it, but it sets no status that an operation would have to end.
    pub reset: bool,
}

impl SnapshotChange {
    /// A change of status and nothing else.
    pub fn to(status: SnapshotStatus) -> Self {
        SnapshotChange {
            status: Some(status),
            ..SnapshotChange::default()
        }
    }

    /// Makes the change on a record.
    pub(crate) fn apply(self, record: &mut SnapshotRecord, now: Timestamp) {
        replace(&mut record.status, self.status);
        replace(&mut record.name, self.name);
        replace(&mut record.description, self.description);
        replace(&mut record.location, self.location);
        if let Some(change) = self.metadata {
            change.apply(&mut record.metadata);
        }
        record.updated_at = now;
    }
}
