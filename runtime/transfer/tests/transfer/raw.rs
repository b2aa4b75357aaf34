//! An object that compressing does not make smaller is stored raw, tag `none`.

use std::os::unix::fs::FileExt;
use std::sync::Arc;

use cofferdam_sandbox::contract::BodyNeeds;
use cofferdam_transfer::Expected;
use cofferdam_transfer::documents::decode_metadata;

use crate::kit::{PREFIX, Random, Volume, backup, plan, restore};
use crate::store::MemoryStore;

fn tags(store: &MemoryStore) -> Vec<&'static str> {
    let bytes = store.bytes(&format!("{PREFIX}_metadata"));
    let metadata = decode_metadata("m", PREFIX, &bytes).unwrap();
    metadata
        .objects
        .iter()
        .map(|entry| entry.compression.text())
        .collect()
}

/// Random bytes whose first sample shrinks, by a repeat of 400 bytes.
fn deceptive(random: &mut Random, length: usize) -> Vec<u8> {
    let mut content = random.bytes(length);
    let copy = content[..400].to_vec();
    content[5000..5400].copy_from_slice(&copy);
    content
}

#[tokio::test]
async fn small_objects_are_kept_raw_one_by_one_and_the_tag_is_the_configured_name() {
    let mut random = Random::new("small raw");
    let content = [
        random.bytes(4096),
        vec![b'x'; 4096],
        vec![0; 4096],
        random.bytes(4096),
        vec![0; 3],
    ]
    .concat();
    for algorithm in ["zlib", "gzip", "bz2", "bzip2", "zstd"] {
        for needs in [BodyNeeds::empty(), BodyNeeds::all()] {
            let store = Arc::new(MemoryStore {
                needs,
                ..MemoryStore::default()
            });
            let volume = Volume::new(&content);
            backup(&store, &volume.path, plan(4096, 512, &algorithm.to_uppercase()))
                .await
                .unwrap();
            assert_eq!(tags(&store), ["none", algorithm, algorithm, "none", "none"]);
            assert_eq!(store.bytes(&format!("{PREFIX}-00001")), &content[..4096]);
            assert_eq!(store.bytes(&format!("{PREFIX}-00005")), [0; 3]);
        }
    }
    for algorithm in ["off", "no", "none"] {
        let store = Arc::new(MemoryStore::default());
        let volume = Volume::new(&content);
        backup(&store, &volume.path, plan(1 << 20, 512, algorithm))
            .await
            .unwrap();
        assert_eq!(tags(&store), ["none"]);
    }
}

#[tokio::test]
async fn a_great_object_that_turns_out_too_long_is_put_again_raw() {
    let mut random = Random::new("great raw");
    let content = deceptive(&mut random, 9 << 20);
    for algorithm in ["zlib", "zstd", "bz2"] {
        for needs in [BodyNeeds::empty(), BodyNeeds::all()] {
            let broken = Arc::new(std::sync::atomic::AtomicUsize::new(0));
            let count = broken.clone();
            let on_broken: Box<dyn Fn(&str) + Send + Sync> = Box::new(move |_| {
                count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            });
            let store = Arc::new(MemoryStore {
                needs,
                on_broken: Some(on_broken),
                ..MemoryStore::default()
            });
            let volume = Volume::new(&content);
            let outcome = backup(&store, &volume.path, plan(16 << 20, 32768, algorithm))
                .await
                .unwrap();
            assert_eq!(tags(&store), ["none"], "{algorithm}");
            assert_eq!(outcome.stored_bytes, 9 << 20);
            assert!(store.bytes(&format!("{PREFIX}-00001")) == content);
            assert!(restore(&store, &Expected::default()).await.unwrap().0 == content);
            let given_up = broken.load(std::sync::atomic::Ordering::SeqCst);
            assert_eq!(
                given_up,
                usize::from(needs == BodyNeeds::empty()),
                "{algorithm}: bodies that were given up"
            );
        }
    }
}

#[tokio::test]
async fn a_volume_that_changed_before_it_was_read_again_fails_the_backup() {
    let mut random = Random::new("changed");
    let volume = Volume::new(&deceptive(&mut random, 9 << 20));
    let path = volume.path.clone();
    let on_broken: Box<dyn Fn(&str) + Send + Sync> = Box::new(move |_| {
        std::fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .write_all_at(b"!", 7 << 20)
            .unwrap();
    });
    let store = Arc::new(MemoryStore {
        on_broken: Some(on_broken),
        ..MemoryStore::default()
    });
    // The hook may be late by some pieces; the changed byte lies far behind them.
    let error = backup(&store, &volume.path, plan(16 << 20, 32768, "zlib"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "volume-changed", "{error}");
    assert!(store.names().is_empty());
}

#[tokio::test]
async fn a_great_incompressible_object_goes_raw_at_once() {
    let mut random = Random::new("incompressible");
    let content = random.bytes(9 << 20);
    let store = Arc::new(MemoryStore::default());
    let volume = Volume::new(&content);
    backup(&store, &volume.path, plan(16 << 20, 32768, "bz2"))
        .await
        .unwrap();
    assert_eq!(tags(&store), ["none"]);
    assert_eq!(
        store.puts.load(std::sync::atomic::Ordering::SeqCst),
        3,
        "it was put only once"
    );
}
