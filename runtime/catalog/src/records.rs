//! What is recorded, and which changes of status there are.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use uuid::Uuid;

/// Identifies a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BackupId(pub Uuid);

/// Identifies a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VolumeId(pub Uuid);

impl fmt::Display for BackupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for VolumeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Cinder's status of a backup (cinder: `cinder/objects/fields.py`, `BackupStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BackupStatus {
    /// Being made.
    Creating,
    /// Complete: restores bit for bit.
    Available,
    /// Being restored from.
    Restoring,
    /// Being deleted.
    Deleting,
    /// Not complete; good for nothing but to be deleted.
    Error,
    /// Could not be deleted; may be tried again.
    ErrorDeleting,
}

impl BackupStatus {
    /// All of them.
    pub const ALL: [BackupStatus; 6] = [
        BackupStatus::Creating,
        BackupStatus::Available,
        BackupStatus::Restoring,
        BackupStatus::Deleting,
        BackupStatus::Error,
        BackupStatus::ErrorDeleting,
    ];

    /// Cinder's word.
    pub fn as_str(self) -> &'static str {
        match self {
            BackupStatus::Creating => "creating",
            BackupStatus::Available => "available",
            BackupStatus::Restoring => "restoring",
            BackupStatus::Deleting => "deleting",
            BackupStatus::Error => "error",
            BackupStatus::ErrorDeleting => "error_deleting",
        }
    }

    /// The table of changes: whether a backup may go from this status to that one.
    pub fn may_become(self, next: BackupStatus) -> bool {
        use BackupStatus::{Available, Creating, Deleting, Error, ErrorDeleting, Restoring};
        matches!(
            (self, next),
            (Creating, Available | Error)
                | (Available, Restoring | Deleting)
                | (Restoring, Available)
                | (Error, Deleting)
                | (Deleting, ErrorDeleting)
                | (ErrorDeleting, Deleting)
        )
    }
}

impl fmt::Display for BackupStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for BackupStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = BackupStatus::ALL
            .into_iter()
            .find(|status| status.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is no status of a backup"))
    }
}

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
        }
    }
}

/// What changes on a record; what is `None` stays. A change of status clears an old failure unless it brings a new one.
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
        record.updated_at = now;
    }
}

/// One backend's service, as its last change or heartbeat left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRecord {
    /// The backend.
    pub name: String,
    /// The host that runs it.
    pub host: String,
    /// Whether it is there no longer: recording it deletes it.
    pub removed: bool,
    /// The whole status as JSON, for the rooms above.
    pub status: String,
    /// The last heartbeat, which readers compare with `service_down_time`.
    pub heartbeat: Option<Timestamp>,
    /// Times it was recorded.
    pub report_count: u64,
    /// When it was last recorded.
    pub updated_at: Timestamp,
}

/// One event in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// Its place in the history, given when it is recorded; never used twice.
    pub number: i64,
    /// The host that it happened on.
    pub host: String,
    /// The backend that it happened to; empty when it is about none.
    pub backend: String,
    /// Its stable type name.
    pub kind: String,
    /// When it happened.
    pub at: Timestamp,
    /// The event as JSON.
    pub payload: String,
}
