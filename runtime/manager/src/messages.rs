//! Messages to users: why what they asked for did not come about, with the cause that the service saw (cinder: `cinder/message/
//! message_field.py`; the ids are Cinder's, the texts say more).

use std::time::Duration;

use cofferdam_catalog::{BackupId, MessageQuery, MessageRecord, Repository as _, SnapshotId, VolumeId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::caller::Caller;
use crate::error::ManagerError;
use crate::manager::Manager;

/// How long a message is kept at least (cinder: `message_ttl`).
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// What went wrong with what: Cinder's numbers of action and detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// A backup could not be made.
    Create(BackupId),
    /// A backup could not be deleted.
    Delete(BackupId),
    /// A backup could not be restored.
    Restore(BackupId),
    /// A volume could not be made.
    Volume(VolumeId),
    /// A snapshot could not be made.
    Snapshot(SnapshotId),
}

impl Trouble {
    fn event(self) -> &'static str {
        match self {
            Trouble::Create(_) => "VOLUME_VOLUME_BACKUP_013_020",
            Trouble::Delete(_) => "VOLUME_VOLUME_BACKUP_014_025",
            Trouble::Restore(_) => "VOLUME_VOLUME_BACKUP_015_026",
            Trouble::Volume(_) => "VOLUME_VOLUME_001_001",
            Trouble::Snapshot(_) => "VOLUME_VOLUME_SNAPSHOT_010_001",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Trouble::Create(_) => "create backup: Backup driver failed to create backup",
            Trouble::Delete(_) => "delete backup: Backup driver failed to delete backup",
            Trouble::Restore(_) => "restore backup: Backup driver failed to restore backup",
            Trouble::Volume(_) => "create volume: the volume could not be made",
            Trouble::Snapshot(_) => "create snapshot: the snapshot could not be made",
        }
    }

    fn resource(self) -> (&'static str, Uuid) {
        match self {
            Trouble::Create(id) | Trouble::Delete(id) | Trouble::Restore(id) => ("VOLUME_BACKUP", id.0),
            Trouble::Volume(id) => ("VOLUME", id.0),
            Trouble::Snapshot(id) => ("VOLUME_SNAPSHOT", id.0),
        }
    }
}

impl Manager {
    /// Leaves a message for a project. That it cannot be left is logged and hinders nothing.
    pub(crate) async fn tell(
        &self,
        project: &str,
        request_id: Option<&str>,
        trouble: Trouble,
        why: &ManagerError,
    ) {
        let now = Timestamp::now();
        let (resource_type, resource) = trouble.resource();
        let message = MessageRecord {
            id: Uuid::new_v4(),
            project_id: project.to_owned(),
            request_id: request_id.map(str::to_owned),
            resource_type: resource_type.into(),
            resource_uuid: Some(resource),
            event_id: trouble.event().into(),
            level: "ERROR".into(),
            user_message: format!("{}: {why}. To do: {}.", trouble.words(), why.remedy()),
            created_at: now,
            expires_at: now.checked_add(KEPT).unwrap_or(Timestamp::MAX),
        };
        let step = cofferdam_catalog::Step::Message(Box::new(message));
        let swept = self.catalog.sweep_messages(now).await;
        if let Err(error) = self.catalog.commit(vec![step]).await.map(drop).and(swept) {
            tracing::warn!(%error, "a message to a user cannot be kept");
        }
    }

    /// A page of messages.
    ///
    /// # Errors
    /// When the query makes no sense, or the catalog cannot be read.
    pub async fn messages(&self, query: &MessageQuery) -> Result<Vec<MessageRecord>, ManagerError> {
        Ok(self.catalog.list_messages(query).await?)
    }

    /// One message.
    ///
    /// # Errors
    /// When there is none of that id for this caller.
    pub async fn message(&self, caller: &Caller, id: Uuid) -> Result<MessageRecord, ManagerError> {
        let message = self.catalog.message(id).await?;
        match caller.sees(&message.project_id) {
            true => Ok(message),
            false => Err(ManagerError::Absent {
                what: "message",
                id: id.to_string(),
            }),
        }
    }

    /// Deletes a message.
    ///
    /// # Errors
    /// When there is none of that id for this caller.
    pub async fn delete_message(&self, caller: &Caller, id: Uuid) -> Result<(), ManagerError> {
        self.message(caller, id).await?;
        Ok(self.catalog.delete_message(id).await?)
    }
}
