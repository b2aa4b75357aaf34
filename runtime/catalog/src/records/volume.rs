//! The record of a volume: Cinder's columns, and where its bytes are.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{BackupId, MetadataChange, SnapshotId, VolumeId, VolumeStatus, replace};

/// One volume.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    missing_docs,
    reason = "the names are Cinder's columns, or explained beside them"
)]
pub struct VolumeRecord {
    pub id: VolumeId,
    pub project_id: String,
    pub user_id: String,
    pub status: VolumeStatus,
    /// The status to go back to when the operation that is under way ends.
    pub previous_status: Option<VolumeStatus>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub size_gib: u64,
    /// An absolute path, or the URL of an NBD export.
    pub location: String,
    /// Whether the file is ours: it is deleted with the volume.
    pub managed: bool,
    pub volume_type: String,
    pub availability_zone: String,
    pub bootable: bool,
    pub read_only: bool,
    pub metadata: BTreeMap<String, String>,
    pub snapshot_id: Option<SnapshotId>,
    pub source_volume_id: Option<VolumeId>,
    /// The backup that it was made from.
    pub backup_id: Option<BackupId>,
    pub fail_reason: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl VolumeRecord {
    /// A volume that is about to be made.
    pub fn new(id: VolumeId, location: &str, now: Timestamp) -> Self {
        VolumeRecord {
            id,
            project_id: "admin".into(),
            user_id: "admin".into(),
            status: VolumeStatus::Creating,
            previous_status: None,
            name: None,
            description: None,
            size_gib: 0,
            location: location.to_owned(),
            managed: false,
            volume_type: String::new(),
            availability_zone: String::new(),
            bootable: false,
            read_only: false,
            metadata: BTreeMap::new(),
            snapshot_id: None,
            source_volume_id: None,
            backup_id: None,
            fail_reason: None,
            created_at: now,
            updated_at: now,
        }
    }
}

/// What changes on a volume; what is `None` stays, and `Some(None)` takes a value away. A change of status clears an old
/// reason unless it brings a new one.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs, reason = "the names are the record's")]
pub struct VolumeChange {
    pub status: Option<VolumeStatus>,
    pub previous_status: Option<Option<VolumeStatus>>,
    pub name: Option<Option<String>>,
    pub description: Option<Option<String>>,
    pub size_gib: Option<u64>,
    pub location: Option<String>,
    pub managed: Option<bool>,
    pub volume_type: Option<String>,
    pub availability_zone: Option<String>,
    pub bootable: Option<bool>,
    pub read_only: Option<bool>,
    pub metadata: Option<MetadataChange>,
    pub backup_id: Option<Option<BackupId>>,
    pub fail_reason: Option<String>,
    /// An administrator's reset: the table does not bind it, but it sets no status that an operation would have to end.
    pub reset: bool,
}

impl VolumeChange {
    /// A change of status and nothing else.
    pub fn to(status: VolumeStatus) -> Self {
        VolumeChange {
            status: Some(status),
            ..VolumeChange::default()
        }
    }

    /// A change of status because something failed.
    pub fn failed(status: VolumeStatus, reason: &str) -> Self {
        VolumeChange {
            fail_reason: Some(reason.to_owned()),
            ..VolumeChange::to(status)
        }
    }

    /// Makes the change on a record.
    pub(crate) fn apply(self, record: &mut VolumeRecord, now: Timestamp) {
        if let Some(status) = self.status {
            record.status = status;
            record.fail_reason = self.fail_reason;
        }
        replace(&mut record.previous_status, self.previous_status);
        replace(&mut record.name, self.name);
        replace(&mut record.description, self.description);
        replace(&mut record.size_gib, self.size_gib);
        replace(&mut record.location, self.location);
        replace(&mut record.managed, self.managed);
        replace(&mut record.volume_type, self.volume_type);
        replace(&mut record.availability_zone, self.availability_zone);
        replace(&mut record.bootable, self.bootable);
        replace(&mut record.read_only, self.read_only);
        if let Some(change) = self.metadata {
            change.apply(&mut record.metadata);
        }
        replace(&mut record.backup_id, self.backup_id);
        record.updated_at = now;
    }
}
