//! Records of services: what each backend's last heartbeat left, the history of events, and an administrator's switches.

use jiff::Timestamp;

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

/// An administrator's switch of a service (Cinder: `os-services`, `enable` and `disable`). It outlives the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSwitch {
    /// The host that runs it.
    pub host: String,
    /// The backend.
    pub name: String,
    /// Whether it takes no new backups.
    pub disabled: bool,
    /// Why.
    pub reason: Option<String>,
    /// When it was last switched.
    pub modified_at: Timestamp,
}
