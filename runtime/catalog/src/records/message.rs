//! A message to a user: why something that was asked for did not come about (Cinder: `/messages`).

use jiff::Timestamp;
use uuid::Uuid;

/// One message. Once it has expired it is not listed any more, and is swept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the names are Cinder's columns, or explained beside them"
)]
pub struct MessageRecord {
    pub id: Uuid,
    pub project_id: String,
    pub request_id: Option<String>,
    /// `VOLUME_BACKUP`, `VOLUME` and the like.
    pub resource_type: String,
    pub resource_uuid: Option<Uuid>,
    /// `VOLUME_VOLUME_BACKUP_<action>_<detail>`.
    pub event_id: String,
    /// `ERROR`.
    pub level: String,
    pub user_message: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}
