//! What goes over the wire, for the server and for our own client.

use serde::{Deserialize, Serialize};

/// One backend's service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "the names are those of the supervisor's `Status`, which explains them"
)]
pub struct ServiceView {
    pub name: String,
    pub driver: String,
    pub state: String,
    pub phase: String,
    pub disabled: bool,
    pub disabled_reason: Option<String>,
    pub code: Option<String>,
    pub message: Option<String>,
    pub remedy: Option<String>,
    pub since: String,
    pub attempt: u64,
    pub consecutive_failures: u64,
    pub last_success: Option<String>,
    pub last_probe: Option<String>,
    /// When it is initialised next; absent while that goes on, while it is up, and when nothing is planned.
    pub next_try: Option<String>,
    /// When it is probed next; absent while it is down.
    pub next_probe: Option<String>,
    pub heartbeat: Option<String>,
    pub initialization_ms: Option<f64>,
    pub initialization_fuel: Option<u64>,
    pub peak_memory_bytes: Option<u64>,
    pub initializations_succeeded: u64,
    pub initializations_failed: u64,
    pub probes_succeeded: u64,
    pub probes_failed: u64,
    pub transitions: u64,
    /// Threads of ended instances in the whole process that have not come back; stuck in the kernel if it lasts.
    pub threads_ending: usize,
}

/// One event of the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventView {
    /// Its place in the history.
    pub number: i64,
    /// When it happened.
    pub at: String,
    /// The backend; empty when it is about none.
    pub backend: String,
    /// Stable type name.
    #[serde(rename = "type")]
    pub kind: String,
    /// The event itself.
    pub data: serde_json::Value,
}

/// One backup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are Cinder's")]
pub struct BackupView {
    pub id: String,
    pub status: String,
    pub name: Option<String>,
    pub description: Option<String>,
    pub project_id: String,
    pub user_id: String,
    pub metadata: std::collections::BTreeMap<String, String>,
    pub backend: String,
    pub scheduling: Option<String>,
    pub volume_id: String,
    pub snapshot_id: Option<String>,
    pub volume_path: String,
    pub volume_bytes: u64,
    pub size: u64,
    pub container: Option<String>,
    pub prefix: Option<String>,
    pub compression: String,
    pub is_incremental: bool,
    pub parent_id: Option<String>,
    pub object_count: u64,
    pub stored_bytes: u64,
    pub fail_code: Option<String>,
    pub fail_reason: Option<String>,
    pub created_at: String,
    pub updated_at: String,
    pub verified_at: Option<String>,
    pub verify_result: Option<String>,
}

/// Something that runs for a while, and how it goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OperationView {
    /// Its id.
    pub id: String,
    /// `create`, `restore`, `verify` or `delete`.
    pub kind: String,
    /// The backup that it works on.
    pub backup_id: String,
    /// The backend that holds it, once known.
    pub backend: Option<String>,
    /// The volume that it is of, once known.
    pub volume: Option<String>,
    /// `running`, `succeeded` or `failed`.
    pub state: String,
    /// `waiting`, `preparing`, `data`, `finishing` or `ended`; a delete has none.
    pub phase: String,
    /// When it was taken on.
    pub started_at: String,
    /// When it ended.
    pub ended_at: Option<String>,
    /// Bytes of the volume that are done.
    pub bytes_done: u64,
    /// Bytes of the volume in all; 0 until known.
    pub bytes_total: u64,
    /// Bytes that were stored or fetched.
    pub bytes_stored: u64,
    /// Bytes of holes and zeros that were skipped.
    pub bytes_skipped: u64,
    /// One sentence on success.
    pub summary: Option<String>,
    /// Why it failed.
    pub error: Option<ErrorView>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorView {
    /// Stable code.
    pub code: String,
    /// What was attempted and what was found.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// The body of an error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorView,
}

/// `POST /v1/backups`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateRequest {
    /// Absolute path of the volume, a raw file or a block device; or URL of an NBD export.
    pub volume: String,
    /// The backend; the first one that is up when absent.
    #[serde(default)]
    pub backend: Option<String>,
    /// Name for people.
    #[serde(default)]
    pub name: Option<String>,
    /// More of the same.
    #[serde(default)]
    pub description: Option<String>,
    /// Container to put the objects in, instead of the driver's own choice.
    #[serde(default)]
    pub container: Option<String>,
    /// Only what has changed since the newest sound backup of the volume.
    #[serde(default)]
    pub incremental: bool,
    /// Only what has changed since that backup.
    #[serde(default)]
    pub parent: Option<String>,
    /// Also of a volume that is in use or changes meanwhile (Cinder's `force`).
    #[serde(default)]
    pub force: bool,
}

/// `POST /v1/backups/{id}/restore`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestoreRequest {
    /// Absolute path of the target, or URL of an NBD export.
    pub target: String,
    /// Whether a target that is there already is written over.
    #[serde(default)]
    pub overwrite: bool,
}

/// `GET /v1/backups/{id}/export_record`, and the body of `POST /v1/import_record`; the names are Cinder's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupRecordView {
    /// The driver, by Cinder's class of it; not looked at on the way in.
    #[serde(default)]
    pub backup_service: String,
    /// The record as text.
    pub backup_url: String,
    /// The backend that holds the objects; only on the way in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
}

/// An object that belongs to no record: `GET /v1/orphans?backend=NAME`, and with `DELETE` those that were removed too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrphanView {
    /// Its container.
    pub container: String,
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// The deleted backup that it was of; absent when it is not of this service.
    pub backup_id: Option<String>,
    /// Whether it was removed now.
    pub removed: bool,
}

/// `POST /v1/adopt_all`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdoptAllRequest {
    /// The backend that holds the objects.
    pub backend: String,
    /// Only what is in this container.
    #[serde(default)]
    pub container: Option<String>,
}

/// What came of `POST /v1/adopt_all`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdoptedView {
    /// Taken in now.
    pub adopted: Vec<BackupView>,
    /// Backups that have a record here already.
    pub known: u64,
    /// What looks like a backup and could not be taken in.
    pub refused: Vec<RefusedView>,
}

/// What looks like a backup and could not be taken in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RefusedView {
    /// Where its objects are.
    pub container: String,
    /// What their names begin with.
    pub prefix: String,
    /// Why.
    pub error: ErrorView,
}

/// `POST /v1/adopt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdoptRequest {
    /// The backend that holds the objects.
    pub backend: String,
    /// Their container.
    pub container: String,
    /// What their names begin with.
    pub prefix: String,
}

/// `POST /v1/services/NAME/switch`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchRequest {
    /// Whether the backend takes no new backups.
    pub disabled: bool,
    /// Why.
    pub reason: Option<String>,
}
