//! Records to begin with.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    BackupId, BackupQuery, BackupRecord, BackupStatus, Change, Limits, MessageRecord, Repository, SnapshotId,
    SnapshotRecord, Step, VolumeId, VolumeRecord,
};

pub(super) type Shared = Arc<dyn Repository>;

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(super) fn backup(second: i64) -> BackupRecord {
    let mut record = BackupRecord::new(BackupId(Uuid::new_v4()), VolumeId(Uuid::new_v4()), at(second));
    record.backend = "b".into();
    record.name = Some("nightly é".into());
    record.volume_bytes = 12;
    record.size_gib = 1;
    record
}

pub(super) fn volume(second: i64) -> VolumeRecord {
    let mut record = VolumeRecord::new(VolumeId(Uuid::new_v4()), "/v", at(second));
    record.size_gib = 2;
    record
}

pub(super) fn snapshot(volume: VolumeId, second: i64) -> SnapshotRecord {
    let mut record = SnapshotRecord::new(SnapshotId(Uuid::new_v4()), volume, "/s", at(second));
    record.size_gib = 2;
    record
}

pub(super) fn message(second: i64, expires_at: Timestamp) -> MessageRecord {
    MessageRecord {
        id: Uuid::new_v4(),
        project_id: "p".into(),
        request_id: None,
        resource_type: "VOLUME_BACKUP".into(),
        resource_uuid: Some(Uuid::new_v4()),
        event_id: "VOLUME_VOLUME_BACKUP_013_020".into(),
        level: "ERROR".into(),
        user_message: "could not be made".into(),
        created_at: at(second),
        expires_at,
    }
}

pub(super) fn insert_backup(record: &BackupRecord, quotas: Option<Limits>) -> Step {
    let record = Box::new(record.clone());
    Step::InsertBackup { record, quotas }
}

pub(super) fn insert_volume(record: &VolumeRecord, quotas: Option<Limits>) -> Step {
    let record = Box::new(record.clone());
    Step::InsertVolume { record, quotas }
}

pub(super) fn insert_snapshot(record: &SnapshotRecord, quotas: Option<Limits>) -> Step {
    let record = Box::new(record.clone());
    Step::InsertSnapshot { record, quotas }
}

/// Brings a backup from wherever it may be to `deleting` and out of all lists.
pub(super) async fn delete_backup(repository: &Shared, id: BackupId) {
    let now = repository.backup(id).await.unwrap().status;
    let path: &[BackupStatus] = match now {
        BackupStatus::Creating => &[BackupStatus::Error, BackupStatus::Deleting],
        _ => &[BackupStatus::Deleting],
    };
    for status in path {
        repository
            .transition(id, BackupStatus::ALL, Change::to(*status))
            .await
            .unwrap();
    }
    repository.soft_delete(id).await.unwrap();
}

/// How many backups a project has.
pub(super) async fn backups_of(repository: &Shared, project: &str) -> u64 {
    let query = BackupQuery {
        project: Some(project.into()),
        ..BackupQuery::default()
    };
    repository.count_backups(&query).await.unwrap()
}
