//! What a backup refuses, and volumes that do not keep still.

use std::fs::OpenOptions;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_transfer::{Cancel, Control, Source};

use crate::kit::{Random, Volume, backup, plan};
use crate::store::{Fault, MemoryStore};

#[tokio::test]
async fn plans_that_cannot_be_meant_are_refused_before_anything_is_stored() {
    let volume = Volume::new(&[1; 100]);
    let store = Arc::new(MemoryStore {
        greatest: Some(5000),
        ..MemoryStore::default()
    });
    for (object, block, code) in [
        (0, 4, "invalid-request"),
        (8, 0, "invalid-request"),
        (10, 4, "invalid-request"),
        (4, 8, "invalid-request"),
        (4, 4, "object-too-large"),
    ] {
        let error = backup(&store, &volume.path, plan(object, block, "none"))
            .await
            .unwrap_err();
        assert_eq!(error.code(), code, "object {object}, block {block}");
    }
    let mut nameless = plan(8, 4, "none");
    nameless.placement.prefix = String::new();
    assert_eq!(
        backup(&store, &volume.path, nameless).await.unwrap_err().code(),
        "invalid-request"
    );
    let empty = Volume::new(&[]);
    assert_eq!(
        backup(&store, &empty.path, plan(8, 4, "none"))
            .await
            .unwrap_err()
            .code(),
        "empty-volume"
    );
    assert_eq!(store.puts.load(std::sync::atomic::Ordering::SeqCst), 0);
    let store = Arc::new(MemoryStore::default());
    let wide = Volume::new(&[]);
    OpenOptions::new()
        .write(true)
        .open(&wide.path)
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    let error = backup(&store, &wide.path, plan(1 << 20, 256, "none"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("too small"), "{error}");
    // Far more objects than the metadata could list: refused, not tried.
    let great = Volume::new(&[]);
    OpenOptions::new()
        .write(true)
        .open(&great.path)
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    let store = Arc::new(MemoryStore::default());
    assert_eq!(
        backup(&store, &great.path, plan(4096, 4096, "none"))
            .await
            .unwrap_err()
            .code(),
        "invalid-request"
    );
}

/// Resizes the volume when the first object is put.
async fn resized(algorithm: &str, to: u64) -> (&'static str, Vec<String>) {
    let mut random = Random::new("resized");
    let volume = Volume::new(&random.bytes(40 << 20));
    let path = volume.path.clone();
    let on_put: Box<dyn Fn(&str) + Send + Sync> = Box::new(move |_| {
        OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(to)
            .unwrap();
    });
    let store = Arc::new(MemoryStore {
        on_put: Some(on_put),
        ..MemoryStore::default()
    });
    let error = backup(&store, &volume.path, plan(2 << 20, 32768, algorithm))
        .await
        .unwrap_err();
    (error.code(), store.names())
}

#[tokio::test]
async fn a_volume_that_shrinks_or_grows_while_it_is_read_fails_the_backup_and_leaves_nothing() {
    for algorithm in ["none", "zstd"] {
        for smaller in [0, 1, 39 << 20, (40 << 20) - 1] {
            assert_eq!(
                resized(algorithm, smaller).await,
                ("volume-shrank", vec![]),
                "{algorithm}, to {smaller}"
            );
        }
        assert_eq!(
            resized(algorithm, (40 << 20) + 1).await,
            ("volume-changed", vec![])
        );
    }
}

#[tokio::test]
async fn a_cancelled_backup_stops_at_once_and_leaves_nothing() {
    let volume = Volume::new(&[1; 100_000]);
    for put in 1..=6 {
        let store = Arc::new(MemoryStore {
            fail_put: Some((put, Fault::Hang)),
            ..MemoryStore::default()
        });
        let cancel = Cancel::new();
        let source = Source::open(&volume.path).unwrap();
        let running = tokio::spawn(cofferdam_transfer::backup(
            store.clone(),
            source,
            plan(32768, 32768, "none"),
            Control {
                cancel: cancel.clone(),
                ..Control::default()
            },
        ));
        while store.puts.load(std::sync::atomic::Ordering::SeqCst) < put {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        cancel.cancel();
        let error = tokio::time::timeout(Duration::from_secs(10), running)
            .await
            .unwrap()
            .unwrap()
            .unwrap_err();
        assert_eq!(error.code(), "cancelled", "at put {put}");
        assert!(store.names().is_empty());
    }
}
