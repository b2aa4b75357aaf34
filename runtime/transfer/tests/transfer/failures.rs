//! A store that fails anywhere: complete, or a clear error and nothing that looks like a backup.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cofferdam_sandbox::contract::BodyNeeds;
use cofferdam_transfer::{Cancel, Control, Expected, Verdict};

use crate::kit::{Random, Volume, backup, codes, link, of_bytes, plan, restore, verify};
use crate::store::{Fault, MemoryStore};

#[tokio::test]
async fn a_put_that_fails_anywhere_leaves_nothing() {
    let mut random = Random::new("failing puts");
    let content = random.mixed(50_000, 9000);
    let volume = Volume::new(&content);
    let mut failed = 0;
    for needs in [BodyNeeds::empty(), BodyNeeds::MD5] {
        for algorithm in ["none", "zlib"] {
            for fault in [Fault::Early, Fault::Late, Fault::Ambiguous] {
                // 7 data objects and the two control objects.
                for put in 1..=9 {
                    let fail_put = Some((put, fault));
                    let store = Arc::new(MemoryStore {
                        needs,
                        fail_put,
                        ..MemoryStore::default()
                    });
                    let error = backup(&store, &volume.path, plan(8192, 4096, algorithm))
                        .await
                        .unwrap_err();
                    assert_eq!(
                        error.code(),
                        "driver.out-of-space",
                        "put {put}, {fault:?}: {error}"
                    );
                    assert_eq!(store.names(), Vec::<String>::new(), "put {put}, {fault:?}");
                    failed += 1;
                }
            }
        }
    }
    println!("{failed} failed puts, 0 objects left");
}

#[tokio::test]
async fn a_driver_that_stores_less_than_it_was_given_does_not_pass() {
    let mut random = Random::new("short puts");
    let volume = Volume::new(&random.bytes(40 << 20));
    let store = Arc::new(MemoryStore {
        fail_put: Some((1, Fault::Short)),
        ..MemoryStore::default()
    });
    let error = backup(&store, &volume.path, plan(20 << 20, 4096, "none"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "driver-contract");
    assert!(store.names().is_empty());
}

#[tokio::test]
async fn when_cleaning_up_fails_too_there_is_still_no_metadata() {
    let volume = Volume::new(&[1; 50_000]);
    for put in 1..=8 {
        let fail_put = Some((put, Fault::Late));
        let store = Arc::new(MemoryStore {
            fail_put,
            fail_delete: true,
            ..MemoryStore::default()
        });
        let error = backup(&store, &volume.path, plan(8192, 4096, "none"))
            .await
            .unwrap_err();
        assert_eq!(error.code(), "driver.out-of-space");
        assert!(store.names().iter().all(|name| !name.ends_with("_metadata")));
    }
}

#[tokio::test]
async fn a_get_or_a_listing_that_fails_is_unreadable_and_not_corrupt() {
    let mut random = Random::new("failing gets");
    let volume = Volume::new(&random.mixed(50_000, 9000));
    for end in ["_metadata", "_sha256file", "-00001", "-00004", "-00007", "list"] {
        let mut store = MemoryStore {
            fail_get: Some(end),
            ..MemoryStore::default()
        };
        store.fail_list = end == "list";
        let store = Arc::new(store);
        backup(&store, &volume.path, plan(8192, 4096, "zlib"))
            .await
            .unwrap();
        assert_eq!(
            restore(&store, &Expected::default()).await.unwrap_err().code(),
            "driver.unavailable",
            "{end}"
        );
        let verdict = verify(&store, &Expected::default()).await;
        assert!(
            matches!(verdict, Verdict::Unreadable { .. }),
            "{end}: {verdict:?}"
        );
        assert_eq!(codes(&verdict), ["driver.unavailable"]);
    }
}

#[tokio::test]
async fn an_object_that_never_ends_is_stopped() {
    let mut random = Random::new("endless gets");
    let volume = Volume::new(&random.mixed(50_000, 9000));
    for (end, code) in [
        ("_metadata", "metadata-invalid"),
        ("_sha256file", "sha256file-invalid"),
        ("-00001", "object-altered"),
        ("-00004", "object-altered"),
    ] {
        let store = Arc::new(MemoryStore {
            endless: Some(end),
            ..MemoryStore::default()
        });
        backup(&store, &volume.path, plan(8192, 4096, "none"))
            .await
            .unwrap();
        assert_eq!(
            restore(&store, &Expected::default()).await.unwrap_err().code(),
            code,
            "{end}"
        );
        assert_eq!(
            codes(&verify(&store, &Expected::default()).await),
            [code],
            "{end}"
        );
    }
}

#[tokio::test]
async fn a_cancelled_restore_stops_and_leaves_no_target() {
    let mut random = Random::new("cancelled restores");
    let volume = Volume::new(&random.mixed(50_000, 9000));
    for end in ["_metadata", "_sha256file", "-00001", "-00007"] {
        let store = Arc::new(MemoryStore {
            hang_get: Some(end),
            ..MemoryStore::default()
        });
        backup(&store, &volume.path, plan(8192, 4096, "zlib"))
            .await
            .unwrap();
        let (begun, cancel) = (store.puts.load(Ordering::SeqCst), Cancel::new());
        let (store_, target, cancel_) = (store.clone(), volume.target(), cancel.clone());
        let running = tokio::spawn(async move {
            cofferdam_transfer::restore(
                store_,
                &link(&of_bytes(50_000)),
                &target,
                false,
                Control {
                    cancel: cancel_,
                    ..Control::default()
                },
            )
            .await
        });
        while store.puts.load(Ordering::SeqCst) == begun {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        cancel.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(10), running)
            .await
            .unwrap();
        assert_eq!(ended.unwrap().unwrap_err().code(), "cancelled", "{end}");
        assert_eq!(
            std::fs::read_dir(volume.folder.path()).unwrap().count(),
            1,
            "{end}: the target was left"
        );
    }
}
