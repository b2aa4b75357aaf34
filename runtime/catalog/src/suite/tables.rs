//! The tables of statuses: every change from every status to every other, made or refused as they are drawn.

use super::tools::{Shared, backup, insert_snapshot, insert_volume, snapshot, volume};
use crate::{BackupStatus, Change, SnapshotChange, SnapshotStatus, Step, VolumeChange, VolumeStatus};

pub(super) async fn of_all_changes_of_a_backup_only_those_of_the_table_are_made(repository: Shared) {
    let mut made = Vec::new();
    for &from in BackupStatus::ALL {
        for &to in BackupStatus::ALL {
            let mut record = backup(1);
            record.status = from;
            repository.insert(&record).await.unwrap();
            let outcome = repository
                .transition(record.id, BackupStatus::ALL, Change::to(to))
                .await;
            let expected = if outcome.is_ok() { to } else { from };
            assert_eq!(repository.backup(record.id).await.unwrap().status, expected);
            if outcome.is_ok() && from != to {
                made.push(format!("{from} {to}"));
            }
        }
    }
    let drawn = "creating available, creating deleting, creating error, available restoring, available deleting, \
         restoring available, restoring deleting, deleting error_deleting, error deleting, error_deleting deleting";
    assert_eq!(made.join(", "), drawn);
}

pub(super) async fn of_all_changes_of_a_volume_only_those_of_the_table_are_made(repository: Shared) {
    let mut made = Vec::new();
    for &from in VolumeStatus::ALL {
        let mut next = Vec::new();
        for &to in VolumeStatus::ALL {
            let mut record = volume(1);
            record.status = from;
            repository
                .commit(vec![insert_volume(&record, None)])
                .await
                .unwrap();
            let step = Step::change_volume(record.id, VolumeStatus::ALL, VolumeChange::to(to));
            let outcome = repository.commit(vec![step]).await;
            let expected = if outcome.is_ok() { to } else { from };
            assert_eq!(repository.volume(record.id).await.unwrap().status, expected);
            if outcome.is_ok() && from != to {
                next.push(to.as_str());
            }
        }
        made.push(format!("{from}: {}", next.join(" ")));
    }
    let drawn = [
        "creating: available restoring-backup deleting error error_restoring",
        "available: in-use backing-up restoring-backup extending deleting error",
        "in-use: available backing-up",
        "backing-up: available in-use error error_backing-up",
        "restoring-backup: available error error_restoring",
        "extending: available error_extending",
        "deleting: error_deleting",
        "error: deleting",
        "error_deleting: deleting",
        "error_restoring: deleting",
        "error_extending: deleting",
        "error_backing-up: deleting",
    ];
    assert_eq!(made, drawn);
}

pub(super) async fn of_all_changes_of_a_snapshot_only_those_of_the_table_are_made(repository: Shared) {
    let volume = volume(1);
    repository
        .commit(vec![insert_volume(&volume, None)])
        .await
        .unwrap();
    let mut made = Vec::new();
    for &from in SnapshotStatus::ALL {
        for &to in SnapshotStatus::ALL {
            let mut record = snapshot(volume.id, 1);
            record.status = from;
            repository
                .commit(vec![insert_snapshot(&record, None)])
                .await
                .unwrap();
            let step = Step::change_snapshot(record.id, SnapshotStatus::ALL, SnapshotChange::to(to));
            let outcome = repository.commit(vec![step]).await;
            let expected = if outcome.is_ok() { to } else { from };
            assert_eq!(repository.snapshot(record.id).await.unwrap().status, expected);
            if outcome.is_ok() && from != to {
                made.push(format!("{from} {to}"));
            }
        }
    }
    let drawn = "creating available, creating deleting, creating error, available backing-up, available deleting, \
         available error, backing-up available, backing-up error, deleting error_deleting, error deleting, \
         error_deleting deleting";
    assert_eq!(made.join(", "), drawn);
}

pub(super) async fn a_reset_goes_past_the_table_but_never_into_a_status_that_an_operation_must_end(
    repository: Shared,
) {
    for &from in VolumeStatus::ALL {
        for &to in VolumeStatus::ALL {
            let mut record = volume(1);
            record.status = from;
            let change = VolumeChange {
                reset: true,
                ..VolumeChange::to(to)
            };
            let steps = vec![
                insert_volume(&record, None),
                Step::change_volume(record.id, VolumeStatus::ALL, change),
            ];
            let expected = from == to || from.may_become(to) || !to.is_transient();
            assert_eq!(repository.commit(steps).await.is_ok(), expected, "{from} to {to}");
        }
    }
    let mut made = backup(1);
    made.status = BackupStatus::Restoring;
    repository.insert(&made).await.unwrap();
    let change = |to, reset| Change {
        reset,
        ..Change::to(to)
    };
    let to_error = repository.transition(made.id, BackupStatus::ALL, change(BackupStatus::Error, false));
    assert!(to_error.await.is_err());
    let to_error = repository.transition(made.id, BackupStatus::ALL, change(BackupStatus::Error, true));
    assert_eq!(to_error.await.unwrap().status, BackupStatus::Error);
    let back = repository.transition(made.id, BackupStatus::ALL, change(BackupStatus::Restoring, true));
    assert!(back.await.is_err());
}
