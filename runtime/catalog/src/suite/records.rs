//! Single records: written, read, changed, deleted.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::tools::{
    Shared, at, backup, delete_backup, insert_backup, insert_snapshot, insert_volume, snapshot, volume,
};
use crate::{
    BackupId, BackupStatus, CatalogError, Change, Done, MetadataChange, SnapshotStatus, Step, Subject,
    VolumeChange, VolumeId, VolumeStatus,
};

pub(super) async fn a_record_comes_back_as_it_was_written(repository: Shared) {
    let mut made = volume(1);
    made.previous_status = Some(VolumeStatus::InUse);
    made.name = Some("é".into());
    made.description = Some(String::new());
    made.location = "nbd://h/x".into();
    (made.managed, made.bootable, made.read_only) = (true, true, true);
    made.metadata = BTreeMap::from([("k".into(), "v\"'".into())]);
    made.backup_id = Some(BackupId(Uuid::new_v4()));
    made.source_volume_id = Some(VolumeId(Uuid::new_v4()));
    made.fail_reason = Some("r".into());
    let mut kept = snapshot(made.id, 2);
    kept.metadata = made.metadata.clone();
    kept.name = Some("s".into());
    let mut whole = backup(3);
    whole.metadata = made.metadata.clone();
    whole.snapshot_id = Some(kept.id);
    whole.held_volume_id = Some(made.id);
    whole.restore_volume_id = Some(made.id);
    whole.scheduling = Some("the first that is up".into());
    whole.request_id = Some("req-1".into());
    (whole.container, whole.prefix) = (Some("c".into()), Some("p".into()));
    (whole.object_size, whole.block_size) = (Some(1 << 40), Some(4096));
    (whole.object_count, whole.stored_bytes) = (7, 8);
    (whole.host, whole.driver) = ("h".into(), Some("d 1".into()));
    (whole.verified_at, whole.verify_result) = (Some(at(4)), Some("sound".into()));
    whole.placed = true;
    let steps = vec![
        insert_volume(&made, None),
        insert_snapshot(&kept, None),
        insert_backup(&whole, None),
    ];
    let done = repository.commit(steps).await.unwrap();
    assert_eq!(
        done,
        [
            Done::Volume(made.clone().into()),
            Done::Snapshot(kept.clone().into()),
            Done::Backup(whole.clone().into())
        ]
    );
    assert_eq!(repository.volume(made.id).await.unwrap(), made);
    assert_eq!(repository.snapshot(kept.id).await.unwrap(), kept);
    assert_eq!(repository.backup(whole.id).await.unwrap(), whole);
    let unknown = repository.volume(VolumeId(whole.id.0)).await;
    assert!(matches!(unknown, Err(CatalogError::NotFound(Subject::Volume(id))) if id.0 == whole.id.0));
}

pub(super) async fn an_id_that_is_taken_is_not_written_over(repository: Shared) {
    let mut made = backup(1);
    repository.insert(&made).await.unwrap();
    made.name = Some("another".into());
    let refused = repository.insert(&made).await;
    assert!(matches!(refused, Err(CatalogError::Exists(id)) if id == made.id.into()));
    assert_ne!(repository.backup(made.id).await.unwrap().name, made.name);
    delete_backup(&repository, made.id).await;
    assert!(matches!(
        repository.insert(&made).await,
        Err(CatalogError::Exists(_))
    ));
    assert!(matches!(
        repository.backup(made.id).await,
        Err(CatalogError::NotFound(_))
    ));
}

pub(super) async fn a_change_sets_what_it_names_and_leaves_the_rest(repository: Shared) {
    let mut made = backup(1);
    made.description = Some("d".into());
    repository.insert(&made).await.unwrap();
    let failed = Change::failed(BackupStatus::Error, "code", &"long ".repeat(2000));
    let found = repository
        .transition(made.id, BackupStatus::ALL, failed)
        .await
        .unwrap();
    assert_eq!(found.fail_code.as_deref(), Some("code"));
    let stored = repository.backup(made.id).await.unwrap();
    assert_eq!(stored.fail_reason.unwrap().len(), 4000);
    let change = Change {
        name: Some(None),
        metadata: Some(MetadataChange::Replace(BTreeMap::from([(
            "a".into(),
            "b".into(),
        )]))),
        ..Change::default()
    };
    repository
        .transition(made.id, BackupStatus::ALL, change)
        .await
        .unwrap();
    let found = repository.backup(made.id).await.unwrap();
    assert_eq!((found.name, found.description.as_deref()), (None, Some("d")));
    assert_eq!(found.metadata["a"], "b");
    // Whoever adds or takes away a key leaves what others have set meanwhile.
    let one = |key: &str| BTreeMap::from([(key.to_owned(), "v".to_owned())]);
    for metadata in [
        MetadataChange::Add(one("c")),
        MetadataChange::Add(one("d")),
        MetadataChange::Remove("a".into()),
        MetadataChange::Remove("gone".into()),
    ] {
        let change = Change {
            metadata: Some(metadata),
            ..Change::default()
        };
        repository
            .transition(made.id, BackupStatus::ALL, change)
            .await
            .unwrap();
    }
    let keys: Vec<String> = repository
        .backup(made.id)
        .await
        .unwrap()
        .metadata
        .into_keys()
        .collect();
    assert_eq!(keys, ["c", "d"]);
    assert_eq!(
        found.fail_code.as_deref(),
        Some("code"),
        "the status did not change"
    );
}

pub(super) async fn a_change_is_refused_from_another_status_and_against_the_table(repository: Shared) {
    let made = backup(1);
    repository.insert(&made).await.unwrap();
    for from in [BackupStatus::Available, BackupStatus::Creating] {
        let change = Change::to(BackupStatus::Restoring);
        let refused = repository.transition(made.id, &[from], change).await;
        assert!(matches!(
            refused,
            Err(CatalogError::Conflict {
                found: "creating",
                ..
            })
        ));
    }
    let refused = repository.soft_delete(made.id).await;
    assert!(matches!(refused, Err(CatalogError::Conflict { .. })));
    let unknown = repository.backup(BackupId(Uuid::new_v4())).await;
    assert!(matches!(unknown, Err(CatalogError::NotFound(_))));
}

pub(super) async fn of_many_that_race_for_one_backup_exactly_one_wins(repository: Shared) {
    let mut made = backup(1);
    made.status = BackupStatus::Available;
    repository.insert(&made).await.unwrap();
    let racers: Vec<_> = (0..64)
        .map(|_| {
            let (repository, id) = (repository.clone(), made.id);
            let claim = Change::to(BackupStatus::Deleting);
            tokio::spawn(async move {
                repository
                    .transition(id, &[BackupStatus::Available], claim)
                    .await
                    .is_ok()
            })
        })
        .collect();
    let mut winners = 0;
    for racer in racers {
        winners += u32::from(racer.await.unwrap());
    }
    assert_eq!(winners, 1);
}

pub(super) async fn dependents_are_derived_from_the_records(repository: Shared) {
    let parent = backup(1);
    let mut child = backup(2);
    child.parent_id = Some(parent.id);
    repository.insert(&parent).await.unwrap();
    let error = repository.insert(&child).await.unwrap_err();
    assert!(
        matches!(error, CatalogError::Conflict { subject, .. } if subject == parent.id.into()),
        "{error}"
    );
    let done = Change::to(BackupStatus::Available);
    repository
        .transition(parent.id, &[BackupStatus::Creating], done)
        .await
        .unwrap();
    assert!(!repository.backup(parent.id).await.unwrap().has_dependents);
    repository.insert(&child).await.unwrap();
    assert!(repository.backup(parent.id).await.unwrap().has_dependents);
    let chain = repository.chain(child.id).await.unwrap();
    assert_eq!(
        chain.iter().map(|record| record.id).collect::<Vec<_>>(),
        [child.id, parent.id]
    );
    let delete = || {
        repository.transition(
            parent.id,
            &[BackupStatus::Available],
            Change::to(BackupStatus::Deleting),
        )
    };
    let error = delete().await.unwrap_err();
    assert!(
        matches!(error, CatalogError::HasDependents(id) if id == parent.id.into()),
        "{error}"
    );
    delete_backup(&repository, child.id).await;
    assert!(!repository.backup(parent.id).await.unwrap().has_dependents);
    delete().await.unwrap();
}

pub(super) async fn a_volume_with_snapshots_is_not_deleted(repository: Shared) {
    let (mut made, deleting) = (volume(1), VolumeChange::to(VolumeStatus::Deleting));
    made.status = VolumeStatus::Available;
    let mut kept = snapshot(made.id, 1);
    let orphan = repository.commit(vec![insert_snapshot(&kept, None)]).await;
    assert!(matches!(orphan, Err(CatalogError::NotFound(Subject::Volume(id))) if id == made.id));
    kept.status = SnapshotStatus::Deleting;
    repository
        .commit(vec![insert_volume(&made, None), insert_snapshot(&kept, None)])
        .await
        .unwrap();
    let delete = || Step::change_volume(made.id, VolumeStatus::ALL, deleting.clone());
    let refused = repository.commit(vec![delete()]).await.unwrap_err();
    assert!(
        matches!(refused, CatalogError::HasDependents(id) if id == made.id.into()),
        "{refused}"
    );
    assert_eq!(
        refused.to_string(),
        format!("snapshots build on volume {}", made.id)
    );
    repository
        .commit(vec![
            Step::DeleteSnapshot { id: kept.id },
            delete(),
            Step::DeleteVolume { id: made.id },
        ])
        .await
        .unwrap();
    assert!(matches!(
        repository.volume(made.id).await,
        Err(CatalogError::NotFound(_))
    ));
    assert!(matches!(
        repository.snapshot(kept.id).await,
        Err(CatalogError::NotFound(_))
    ));
}

pub(super) async fn what_is_due_is_found_by_volume_path_and_time(repository: Shared) {
    let mut made = Vec::new();
    for second in 0..6 {
        let mut record = backup(second);
        record.status = if second < 4 {
            BackupStatus::Available
        } else {
            BackupStatus::Creating
        };
        record.volume_path = format!("/v{}", second % 2);
        record.verified_at = (second == 0).then(|| at(100));
        record.placed = second > 2;
        repository.insert(&record).await.unwrap();
        made.push(record);
    }
    let ids = |found: Vec<crate::BackupRecord>| -> Vec<_> { found.iter().map(|record| record.id).collect() };
    let by_path = repository.available(made[1].volume_id, "/v0").await.unwrap();
    assert_eq!(ids(by_path), [made[2].id, made[1].id, made[0].id]);
    assert_eq!(
        ids(repository.unfinished().await.unwrap()),
        [made[4].id, made[5].id]
    );
    let due = repository.unverified_since(at(3)).await.unwrap();
    assert_eq!(due, [made[1].id, made[2].id]);
    let deleted = made[3].id;
    delete_backup(&repository, deleted).await;
    let placed = repository.placed("b").await.unwrap();
    let placed: Vec<_> = placed.iter().map(|(record, gone)| (record.id, *gone)).collect();
    assert_eq!(
        placed,
        [(deleted, true), (made[4].id, false), (made[5].id, false)]
    );
}

pub(super) async fn no_backup_builds_on_itself(repository: Shared) {
    let mut made = backup(1);
    made.status = BackupStatus::Available;
    repository.insert(&made).await.unwrap();
    let mut child = backup(2);
    child.parent_id = Some(made.id);
    repository.insert(&child).await.unwrap();
    let chain = repository.chain(child.id).await.unwrap();
    assert_eq!(chain.len(), 2);
    let mut own_parent = backup(3);
    own_parent.parent_id = Some(own_parent.id);
    let refused = repository.insert(&own_parent).await;
    assert!(matches!(refused, Err(CatalogError::NotFound(id)) if id == own_parent.id.into()));
}
