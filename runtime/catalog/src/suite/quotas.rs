//! Quotas and usage.

use super::tools::{
    Shared, backup, backups_of, delete_backup, insert_backup, insert_snapshot, insert_volume, snapshot,
    volume,
};
use crate::{CatalogError, Limits, Quota, Step, Usage, Used, VolumeChange, VolumeStatus};

const FIVE: Option<Limits> = Some(Limits {
    count: 5,
    gigabytes: 8,
});

fn over(error: CatalogError) -> (Quota, i64, u64, u64) {
    match error {
        CatalogError::OverQuota {
            resource,
            limit,
            used,
            asked,
        } => (resource, limit, used, asked),
        other => panic!("{other}"),
    }
}

pub(super) async fn a_quota_counts_what_is_not_deleted(repository: Shared) {
    let mut made = Vec::new();
    for second in 0..5 {
        let record = backup(second);
        repository
            .commit(vec![insert_backup(&record, FIVE)])
            .await
            .unwrap();
        made.push(record.id);
    }
    let sixth = backup(6);
    let refused = repository.commit(vec![insert_backup(&sixth, FIVE)]).await;
    assert_eq!(over(refused.unwrap_err()), (Quota::Backups, 5, 5, 1));
    delete_backup(&repository, made[0]).await;
    let mut large = backup(7);
    large.size_gib = 5;
    let refused = repository.commit(vec![insert_backup(&large, FIVE)]).await;
    assert_eq!(over(refused.unwrap_err()), (Quota::BackupGigabytes, 8, 4, 5));
    repository
        .commit(vec![insert_backup(&sixth, FIVE)])
        .await
        .unwrap();
    let expected = Usage {
        backups: Used {
            count: 5,
            gigabytes: 5,
        },
        ..Usage::default()
    };
    assert_eq!(repository.usage("admin").await.unwrap(), expected);
    assert_eq!(repository.usage("nobody").await.unwrap(), Usage::default());
}

pub(super) async fn a_projects_own_limit_wins_over_the_default(repository: Shared) {
    repository
        .set_quota("admin", Quota::Backups, Some(0))
        .await
        .unwrap();
    let record = backup(1);
    let refused = repository
        .commit(vec![insert_backup(&record, Some(Limits::NONE))])
        .await;
    assert_eq!(over(refused.unwrap_err()), (Quota::Backups, 0, 0, 1));
    repository
        .set_quota("admin", Quota::Backups, Some(-1))
        .await
        .unwrap();
    let own = repository.quotas("admin").await.unwrap();
    assert_eq!(own.into_iter().collect::<Vec<_>>(), [(Quota::Backups, -1)]);
    let none = Some(Limits {
        count: 0,
        gigabytes: 9,
    });
    repository
        .commit(vec![insert_backup(&record, none)])
        .await
        .unwrap();
    repository.set_quota("admin", Quota::Backups, None).await.unwrap();
    let refused = repository.commit(vec![insert_backup(&backup(2), none)]).await;
    assert_eq!(over(refused.unwrap_err()), (Quota::Backups, 0, 1, 1));
    assert!(repository.quotas("admin").await.unwrap().is_empty());
}

pub(super) async fn growing_counts_and_shrinking_is_never_refused(repository: Shared) {
    let mut record = volume(1);
    record.status = VolumeStatus::Available;
    record.size_gib = 6;
    repository
        .commit(vec![insert_volume(&record, FIVE)])
        .await
        .unwrap();
    let resize = |size| Step::ChangeVolume {
        id: record.id,
        from: VolumeStatus::ALL.to_vec(),
        change: Box::new(VolumeChange {
            size_gib: Some(size),
            ..VolumeChange::default()
        }),
        quotas: FIVE,
    };
    let refused = repository.commit(vec![resize(9)]).await;
    assert_eq!(over(refused.unwrap_err()), (Quota::Gigabytes, 8, 6, 3));
    repository.commit(vec![resize(8)]).await.unwrap();
    repository
        .set_quota("admin", Quota::Gigabytes, Some(1))
        .await
        .unwrap();
    repository.commit(vec![resize(7)]).await.unwrap();
    assert_eq!(repository.usage("admin").await.unwrap().volumes.gigabytes, 7);
}

pub(super) async fn snapshots_and_volumes_share_the_gigabytes(repository: Shared) {
    let disk = volume(1);
    let mut kept = snapshot(disk.id, 2);
    repository
        .commit(vec![insert_volume(&disk, FIVE), insert_snapshot(&kept, FIVE)])
        .await
        .unwrap();
    assert_eq!(repository.usage("admin").await.unwrap().of(Quota::Gigabytes), 4);
    kept = snapshot(disk.id, 3);
    kept.size_gib = 5;
    let refused = repository.commit(vec![insert_snapshot(&kept, FIVE)]).await;
    assert_eq!(over(refused.unwrap_err()), (Quota::Gigabytes, 8, 4, 5));
}

pub(super) async fn fifty_at_once_never_have_more_than_the_limit(repository: Shared) {
    let tasks: Vec<_> = (0..50)
        .map(|second| {
            let repository = repository.clone();
            tokio::spawn(async move {
                repository
                    .commit(vec![insert_backup(&backup(second), FIVE)])
                    .await
            })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => made += 1,
            Err(error) => assert_eq!(over(error), (Quota::Backups, 5, 5, 1)),
        }
    }
    assert_eq!((made, backups_of(&repository, "admin").await), (5, 5));
}

pub(super) async fn a_limit_that_makes_no_sense_is_refused(repository: Shared) {
    let refused = repository.set_quota("p", Quota::Volumes, Some(-2)).await;
    assert!(matches!(refused, Err(CatalogError::Invalid(_))));
    assert!(repository.quotas("p").await.unwrap().is_empty());
}
