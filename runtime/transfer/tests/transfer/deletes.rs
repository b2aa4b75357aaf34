//! Deleting: all of one backup, nothing of another.

use std::sync::Arc;

use cofferdam_sandbox::contract::BodyNeeds;
use cofferdam_transfer::{Location, delete};

use crate::kit::{PREFIX, Volume, backup, location, plan};
use crate::store::MemoryStore;

#[tokio::test]
async fn a_backup_is_deleted_metadata_first_and_its_siblings_stay() {
    let volume = Volume::new(&[1; 50_000]);
    let store = Arc::new(MemoryStore {
        needs: BodyNeeds::SIZE,
        ..MemoryStore::default()
    });
    backup(&store, &volume.path, plan(8192, 4096, "none"))
        .await
        .unwrap();
    let mut siblings: Vec<_> = [
        "",
        "-1",
        "-0001",
        "-0000x",
        "2-00001",
        "2_metadata",
        "_metadata2",
        "-00001.bak",
        "_sha256",
    ]
    .map(|end| format!("{PREFIX}{end}"))
    .into();
    siblings.sort();
    for sibling in &siblings {
        store.set(sibling, "mine");
    }
    store.set(&format!("{PREFIX}-123456"), "an orphan of this backup");
    assert_eq!(delete(&*store, &location()).await.unwrap(), 10);
    assert_eq!(store.names(), siblings);
    let deleted = store.deleted.lock().unwrap().clone();
    assert_eq!(deleted[0], format!("{PREFIX}_metadata"));
    assert!(
        deleted.contains(&format!("{PREFIX}-123457")),
        "what an interrupted put left behind has the next number"
    );
    // Again, and where nothing is: done already.
    assert_eq!(delete(&*store, &location()).await.unwrap(), 0);
    let elsewhere = Location {
        container: "nowhere".into(),
        ..location()
    };
    assert_eq!(delete(&*store, &elsewhere).await.unwrap(), 0);
}

#[tokio::test]
async fn a_delete_without_prefix_or_listing_deletes_nothing() {
    let volume = Volume::new(&[1; 50_000]);
    let mut store = MemoryStore::default();
    let keep = |store: MemoryStore| async {
        let store = Arc::new(store);
        backup(&store, &volume.path, plan(8192, 4096, "none"))
            .await
            .unwrap();
        store
    };
    store.fail_list = true;
    let store = keep(store).await;
    assert_eq!(
        delete(&*store, &location()).await.unwrap_err().code(),
        "driver.unavailable"
    );
    for nothing in [
        Location {
            container: String::new(),
            ..location()
        },
        Location {
            prefix: String::new(),
            ..location()
        },
    ] {
        assert_eq!(
            delete(&*store, &nothing).await.unwrap_err().code(),
            "invalid-request"
        );
    }
    assert_eq!(store.names().len(), 9);
    assert!(store.deleted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_delete_that_fails_says_so() {
    let volume = Volume::new(&[1; 50_000]);
    let store = Arc::new(MemoryStore {
        fail_delete: true,
        ..MemoryStore::default()
    });
    backup(&store, &volume.path, plan(8192, 4096, "none"))
        .await
        .unwrap();
    assert_eq!(
        delete(&*store, &location()).await.unwrap_err().code(),
        "driver.unavailable"
    );
    assert_eq!(store.names().len(), 9);
}
