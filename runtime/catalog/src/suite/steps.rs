//! Several steps at once.

use super::tools::{Shared, at, backup, backups_of, insert_backup, insert_volume, message, volume};
use crate::{BackupStatus, CatalogError, Change, Done, MessageQuery, Step, VolumeChange, VolumeStatus};

pub(super) async fn steps_are_made_as_a_whole_or_not_at_all(repository: Shared) {
    let (mut disk, new) = (volume(1), backup(2));
    disk.status = VolumeStatus::Available;
    repository.commit(vec![insert_volume(&disk, None)]).await.unwrap();
    let far = at(1 << 36);
    let good = || {
        let mut busy = VolumeChange::to(VolumeStatus::BackingUp);
        busy.previous_status = Some(Some(VolumeStatus::Available));
        vec![
            insert_backup(&new, None),
            Step::change_volume(disk.id, &[VolumeStatus::Available], busy),
            Step::Message(message(3, far).into()),
        ]
    };
    let absent = backup(9).id;
    let bad = [
        Step::change_backup(absent, BackupStatus::ALL, Change::default()),
        Step::DeleteVolume { id: disk.id },
        insert_backup(&new, None),
    ];
    for step in bad {
        let mut steps = good();
        steps.push(step);
        assert!(repository.commit(steps).await.is_err());
        assert!(matches!(
            repository.backup(new.id).await,
            Err(CatalogError::NotFound(_))
        ));
        assert_eq!(repository.volume(disk.id).await.unwrap(), disk);
        assert_eq!(
            repository.count_messages(&MessageQuery::default()).await.unwrap(),
            0
        );
        assert_eq!(repository.usage("admin").await.unwrap().backups.count, 0);
    }
    repository.commit(good()).await.unwrap();
    assert_eq!(backups_of(&repository, "admin").await, 1);
    let busy = repository.volume(disk.id).await.unwrap();
    assert_eq!(busy.previous_status, Some(VolumeStatus::Available));
}

pub(super) async fn each_step_sees_what_the_one_before_it_did(repository: Shared) {
    let new = backup(1);
    let to = |status| Step::change_backup(new.id, BackupStatus::ALL, Change::to(status));
    let done = repository
        .commit(vec![
            insert_backup(&new, None),
            to(BackupStatus::Error),
            to(BackupStatus::Deleting),
            Step::DeleteBackup {
                id: new.id,
                fence: None,
            },
        ])
        .await
        .unwrap();
    assert_eq!((done.len(), done.last()), (4, Some(&Done::Done)));
    assert!(matches!(
        repository.backup(new.id).await,
        Err(CatalogError::NotFound(_))
    ));
    assert!(repository.commit(Vec::new()).await.unwrap().is_empty());
}
