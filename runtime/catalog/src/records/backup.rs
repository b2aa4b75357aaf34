//! The record of a backup, and what may change on it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{BackupId, BackupStatus, MetadataChange, SnapshotId, VolumeId, replace};

/// One backup.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    missing_docs,
    reason = "the names are Cinder's columns, or explained beside them"
)]
pub struct BackupRecord {
    pub id: BackupId,
    pub project_id: String,
    pub user_id: String,
    pub host: String,
    pub backend: String,
    /// Name and version of the driver that stored it.
    pub driver: Option<String>,
    pub availability_zone: String,
    pub status: BackupStatus,
    /// Whether there may be anything on the backend: set before the first object is put. A backup that is not placed
    /// can be deleted while every backend is down (Cinder's rule `service IS NULL`).
    pub placed: bool,
    pub name: Option<String>,
    pub description: Option<String>,
    pub volume_id: VolumeId,
    pub volume_path: String,
    pub volume_bytes: u64,
    pub size_gib: u64,
    pub container: Option<String>,
    /// Cinder's `service_metadata`.
    pub prefix: Option<String>,
    pub algorithm: String,
    pub object_size: Option<u64>,
    pub block_size: Option<u32>,
    pub object_count: u64,
    pub stored_bytes: u64,
    /// SHA-256 of the metadata object and of the sha256 object as they were stored: with them, any change shows.
    pub metadata_seal: Option<String>,
    pub sha256file_seal: Option<String>,
    pub parent_id: Option<BackupId>,
    pub fail_code: Option<String>,
    pub fail_reason: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub data_timestamp: Timestamp,
    pub verified_at: Option<Timestamp>,
    pub verify_result: Option<String>,
    pub metadata: BTreeMap<String, String>,
    /// The snapshot that was read instead of the volume.
    pub snapshot_id: Option<SnapshotId>,
    /// The volume of this service that is `backing-up` for it, as long as it is being made; none when it reads a path or a
    /// snapshot. Not `volume_id`: a chain that was adopted keeps the one that it came with.
    pub held_volume_id: Option<VolumeId>,
    /// The volume that the last restore wrote.
    pub restore_volume_id: Option<VolumeId>,
    /// Why this backend was chosen.
    pub scheduling: Option<String>,
    /// The request that made it (`req-…`).
    pub request_id: Option<String>,
    /// Whether incremental backups build on it. Derived whenever it is read, never stored.
    pub has_dependents: bool,
}

impl BackupRecord {
    /// A backup that is about to be made.
    pub fn new(id: BackupId, volume_id: VolumeId, now: Timestamp) -> Self {
        BackupRecord {
            id,
            project_id: "admin".into(),
            user_id: "admin".into(),
            host: String::new(),
            backend: String::new(),
            driver: None,
            availability_zone: String::new(),
            status: BackupStatus::Creating,
            placed: false,
            name: None,
            description: None,
            volume_id,
            volume_path: String::new(),
            volume_bytes: 0,
            size_gib: 0,
            container: None,
            prefix: None,
            algorithm: String::new(),
            object_size: None,
            block_size: None,
            object_count: 0,
            stored_bytes: 0,
            metadata_seal: None,
            sha256file_seal: None,
            parent_id: None,
            fail_code: None,
            fail_reason: None,
            created_at: now,
            updated_at: now,
            data_timestamp: now,
            verified_at: None,
            verify_result: None,
            metadata: BTreeMap::new(),
            snapshot_id: None,
            held_volume_id: None,
            restore_volume_id: None,
            scheduling: None,
            request_id: None,
            has_dependents: false,
        }
    }
}

/// What changes on a backup; what is `None` stays, and `Some(None)` takes a value away. A change of status clears an old
/// failure unless it brings a new one.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs, reason = "the names are the record's")]
pub struct Change {
    pub status: Option<BackupStatus>,
    pub placed: Option<bool>,
    pub driver: Option<String>,
    pub container: Option<String>,
    pub prefix: Option<String>,
    pub object_size: Option<u64>,
    pub block_size: Option<u32>,
    pub object_count: Option<u64>,
    pub stored_bytes: Option<u64>,
    pub metadata_seal: Option<String>,
    pub sha256file_seal: Option<String>,
    pub fail_code: Option<String>,
    pub fail_reason: Option<String>,
    pub verified_at: Option<Timestamp>,
    pub verify_result: Option<String>,
    pub name: Option<Option<String>>,
    pub description: Option<Option<String>>,
    pub metadata: Option<MetadataChange>,
    pub host: Option<String>,
    pub backend: Option<String>,
    pub restore_volume_id: Option<Option<VolumeId>>,
    pub scheduling: Option<String>,
    pub request_id: Option<String>,
    /// An administrator's reset: the table does not bind it, but it sets no status that an operation would have to end.
    pub reset: bool,
}

impl Change {
    /// A change of status and nothing else.
    pub fn to(status: BackupStatus) -> Self {
        Change {
            status: Some(status),
            ..Change::default()
        }
    }

    /// A change of status because something failed.
    pub fn failed(status: BackupStatus, code: &str, reason: &str) -> Self {
        Change {
            fail_code: Some(code.to_owned()),
            fail_reason: Some(reason.to_owned()),
            ..Change::to(status)
        }
    }

    /// Makes the change on a record.
    pub(crate) fn apply(self, record: &mut BackupRecord, now: Timestamp) {
        if let Some(status) = self.status {
            record.status = status;
            record.fail_code = self.fail_code;
            record.fail_reason = self.fail_reason;
        }
        let set = |to: &mut Option<String>, from: Option<String>| {
            if from.is_some() {
                *to = from;
            }
        };
        set(&mut record.driver, self.driver);
        set(&mut record.scheduling, self.scheduling);
        set(&mut record.request_id, self.request_id);
        set(&mut record.container, self.container);
        set(&mut record.prefix, self.prefix);
        set(&mut record.verify_result, self.verify_result);
        set(&mut record.metadata_seal, self.metadata_seal);
        set(&mut record.sha256file_seal, self.sha256file_seal);
        record.placed = self.placed.unwrap_or(record.placed);
        record.object_size = self.object_size.or(record.object_size);
        record.block_size = self.block_size.or(record.block_size);
        record.object_count = self.object_count.unwrap_or(record.object_count);
        record.stored_bytes = self.stored_bytes.unwrap_or(record.stored_bytes);
        record.verified_at = self.verified_at.or(record.verified_at);
        replace(&mut record.name, self.name);
        replace(&mut record.description, self.description);
        replace(&mut record.restore_volume_id, self.restore_volume_id);
        if let Some(change) = self.metadata {
            change.apply(&mut record.metadata);
        }
        replace(&mut record.host, self.host);
        replace(&mut record.backend, self.backend);
        record.updated_at = now;
    }
}
