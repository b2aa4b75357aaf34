//! Claims and fences. A claim of no length is over at once, so no case waits for one.

use std::time::Duration;

use uuid::Uuid;

use super::tools::{Shared, backup};
use crate::{BackupId, BackupStatus, CatalogError, Change, Fence, Step};

const LONG: Duration = Duration::from_secs(3600);

async fn recorded(repository: &Shared) -> BackupId {
    let made = backup(1);
    repository.insert(&made).await.unwrap();
    made.id
}

fn fenced(id: BackupId, fence: Fence) -> Step {
    Step::ChangeBackup {
        id,
        from: BackupStatus::ALL.to_vec(),
        change: Box::new(Change {
            placed: Some(true),
            ..Change::default()
        }),
        fence: Some(fence),
    }
}

pub(super) async fn a_living_claim_keeps_another_owner_out(repository: Shared) {
    let id = recorded(&repository).await;
    let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
    let fence = repository.claim(id, first, LONG).await.unwrap();
    let refused = repository.claim(id, second, LONG).await;
    assert!(matches!(refused, Err(CatalogError::Claimed { owner, .. }) if owner == first));
    let again = repository.claim(id, first, LONG).await.unwrap();
    assert!(again > fence);
    let old = repository.renew(id, fence, LONG).await;
    assert!(matches!(old, Err(CatalogError::Fenced(of)) if of == id.into()));
    repository.release(id, again).await.unwrap();
    assert!(repository.claim(id, second, LONG).await.unwrap() > again);
    let unknown = repository.claim(backup(2).id, first, LONG).await;
    assert!(matches!(unknown, Err(CatalogError::NotFound(_))));
}

pub(super) async fn who_lost_a_claim_can_change_nothing_any_more(repository: Shared) {
    let id = recorded(&repository).await;
    let stood_still = repository
        .claim(id, Uuid::new_v4(), Duration::ZERO)
        .await
        .unwrap();
    repository.commit(vec![fenced(id, stood_still)]).await.unwrap();
    let winner = repository.claim(id, Uuid::new_v4(), LONG).await.unwrap();
    let delete = Step::DeleteBackup {
        id,
        fence: Some(stood_still),
    };
    let renew = Step::Renew {
        id,
        fence: stood_still,
        ttl: LONG,
    };
    let release = Step::Release {
        id,
        fence: stood_still,
    };
    for step in [fenced(id, stood_still), delete, renew, release] {
        let refused = repository.commit(vec![step]).await;
        assert!(matches!(refused, Err(CatalogError::Fenced(_))));
    }
    repository.commit(vec![fenced(id, winner)]).await.unwrap();
    let unfenced = repository
        .transition(id, BackupStatus::ALL, Change::to(BackupStatus::Error))
        .await;
    assert!(unfenced.is_ok(), "who names no fence is not asked for one");
}

pub(super) async fn a_claim_that_was_given_up_is_worth_nothing(repository: Shared) {
    let id = recorded(&repository).await;
    let fence = repository.claim(id, Uuid::new_v4(), LONG).await.unwrap();
    repository.release(id, fence).await.unwrap();
    let refused = repository.commit(vec![fenced(id, fence)]).await;
    assert!(matches!(refused, Err(CatalogError::Fenced(_))));
    assert!(matches!(
        repository.release(id, fence).await,
        Err(CatalogError::Fenced(_))
    ));
}

pub(super) async fn of_many_owners_exactly_one_has_the_claim(repository: Shared) {
    let id = recorded(&repository).await;
    let racers: Vec<_> = (0..32)
        .map(|_| {
            let repository = repository.clone();
            tokio::spawn(async move { repository.claim(id, Uuid::new_v4(), LONG).await })
        })
        .collect();
    let mut fences = Vec::new();
    for racer in racers {
        fences.extend(racer.await.unwrap());
    }
    assert_eq!(fences.len(), 1);
}

pub(super) async fn a_claim_and_its_change_are_one(repository: Shared) {
    let id = recorded(&repository).await;
    let claim = |owner| Step::Claim { id, owner, ttl: LONG };
    let impossible = Step::change_backup(id, BackupStatus::ALL, Change::to(BackupStatus::Restoring));
    let refused = repository.commit(vec![claim(Uuid::new_v4()), impossible]).await;
    assert!(matches!(refused, Err(CatalogError::Conflict { .. })));
    let possible = Step::change_backup(id, BackupStatus::ALL, Change::to(BackupStatus::Available));
    repository
        .commit(vec![claim(Uuid::new_v4()), possible])
        .await
        .unwrap();
}
