//! The oracle of the lists: many records, and their order as the plainest code makes it in memory.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use uuid::Uuid;

use super::tools::{Shared, at, backup, insert_backup};
use crate::{BackupColumn, BackupId, BackupRecord, BackupStatus, Direction, SnapshotId, Step, VolumeId};

/// A number is padded, so that texts compare as the values do.
pub(super) fn value(record: &BackupRecord, column: BackupColumn) -> Option<String> {
    use BackupColumn as C;
    let id = |id: Uuid| Some(id.to_string());
    match column {
        C::Id => id(record.id.0),
        C::Status => Some(record.status.to_string()),
        C::Name => record.name.clone(),
        C::Description => record.description.clone(),
        C::CreatedAt => Some(format!("{:.6}", record.created_at)),
        C::UpdatedAt => Some(format!("{:.6}", record.updated_at)),
        C::Size => Some(format!("{:09}", record.size_gib)),
        C::VolumeId => id(record.volume_id.0),
        C::Container => record.container.clone(),
        C::AvailabilityZone => Some(record.availability_zone.clone()),
        C::ProjectId => Some(record.project_id.clone()),
        C::UserId => Some(record.user_id.clone()),
        C::Host => Some(record.host.clone()),
        C::Backend => Some(record.backend.clone()),
        C::FailReason => record.fail_reason.clone(),
        C::ObjectCount => Some(format!("{:09}", record.object_count)),
        C::DataTimestamp => Some(format!("{:.6}", record.data_timestamp)),
        C::ParentId => record.parent_id.and_then(|parent| id(parent.0)),
        C::SnapshotId => record.snapshot_id.and_then(|snapshot| id(snapshot.0)),
        C::RestoreVolumeId => record.restore_volume_id.and_then(|volume| id(volume.0)),
        C::ServiceMetadata => record.prefix.clone(),
        C::VerifiedAt => record.verified_at.map(|time| format!("{time:.6}")),
    }
}

/// Few values, so that there are ties everywhere, and none at all in many places.
pub(super) async fn filled(repository: &Shared) -> Vec<BackupRecord> {
    let ids: Vec<_> = (0..4).map(|_| Uuid::new_v4()).collect();
    let mut full = backup(0);
    full.status = BackupStatus::Available;
    let mut made = vec![full.clone()];
    for turn in 1..60_usize {
        let small = |below: usize| (turn * 7 + turn / 5) % below;
        let some = |below: usize, word: &str| (small(below) > 0).then(|| format!("{word}{}", small(below)));
        let mut record = backup(i64::try_from(small(9)).unwrap());
        record.status = BackupStatus::ALL[small(6)];
        record.name = some(4, "Nä");
        record.description = some(3, "d");
        record.updated_at = at(i64::try_from(small(5)).unwrap());
        record.data_timestamp = at(i64::try_from(small(8)).unwrap());
        record.size_gib = [1, 2, 10, 200][small(4)];
        record.volume_id = VolumeId(ids[small(4)]);
        record.container = some(5, "c");
        record.availability_zone = format!("z{}", small(2));
        record.project_id = format!("p{}", small(3));
        record.user_id = format!("u{}", small(7));
        record.host = format!("h{}", small(3));
        record.backend = format!("b{}", small(4));
        record.fail_reason = some(3, "f");
        record.object_count = [5, 50, 500][small(3)];
        record.parent_id = (small(5) == 0).then_some(full.id);
        record.snapshot_id = (small(4) == 1).then(|| SnapshotId(ids[small(4)]));
        record.restore_volume_id = (small(4) == 2).then(|| VolumeId(ids[small(3)]));
        record.prefix = some(6, "x");
        record.verified_at = (small(3) == 1).then(|| at(9));
        record.metadata = BTreeMap::from([("k".into(), format!("v{}", small(3)))]);
        made.push(record);
    }
    let steps: Vec<Step> = made.iter().map(|record| insert_backup(record, None)).collect();
    repository.commit(steps).await.unwrap();
    made
}

pub(super) fn sorted(records: &[BackupRecord], order: &[(BackupColumn, Direction)]) -> Vec<BackupId> {
    let mut records: Vec<_> = records.iter().collect();
    records.sort_by(|one, other| {
        order.iter().fold(Ordering::Equal, |so_far, (column, direction)| {
            let key = |record| value(record, *column).unwrap_or_default();
            let here = key(one).cmp(&key(other));
            so_far.then(match direction {
                Direction::Ascending => here,
                Direction::Descending => here.reverse(),
            })
        })
    });
    records.iter().map(|record| record.id).collect()
}
