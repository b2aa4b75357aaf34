//! With the layers round it a store may fail as it likes: what may pass is made again from its source, and nothing shows.

use std::sync::Arc;
use std::time::Duration;

use cofferdam_sandbox::contract::BodyNeeds;
use cofferdam_transfer::{Control, Layers, Patience, Source, Verdict};

use crate::chances::Flaky;
use crate::kit::{Random, Volume, link, of_bytes, plan, verify};
use crate::store::MemoryStore;

/// More tries than any of these needs.
const ENDURING: Patience = Patience {
    attempts: 1000,
    time: Duration::from_secs(1_000_000),
    first_wait: Duration::from_millis(1),
};

#[tokio::test(start_paused = true)]
async fn with_every_fifth_call_failing_every_backup_is_made_and_restored() {
    const BACKUPS: usize = 300;
    let mut random = Random::new("retries");
    let mut repeated = 0;
    for round in 0..BACKUPS {
        let length = 1 + random.below(60_000);
        let content = random.mixed(length, 3000);
        let volume = Volume::new(&content);
        let inner = Arc::new(MemoryStore {
            needs: [BodyNeeds::empty(), BodyNeeds::MD5][round % 2],
            piece: 1000,
            ..MemoryStore::default()
        });
        let layers = Layers::new("flaky", ENDURING, 2);
        let store = layers.round(Arc::new(Flaky::new(inner.clone(), random.next())));
        let algorithm = ["none", "zlib", "zstd", "bz2"][random.below(4)];
        let (source, control) = (Source::open(&volume.path).unwrap(), Control::default());
        let outcome = cofferdam_transfer::backup(
            store.clone(),
            source,
            plan(8192, 4096, algorithm),
            control.clone(),
        )
        .await
        .unwrap();
        let seen = control.progress.snapshot();
        assert_eq!((seen.done, seen.total), (outcome.bytes, content.len() as u64));
        assert_eq!(inner.names().len() as u64, outcome.object_count + 2);
        let expected = of_bytes(content.len() as u64);
        assert!(matches!(verify(&inner, &expected).await, Verdict::Ok { .. }));
        let target = volume.target();
        cofferdam_transfer::restore(
            store.clone(),
            &link(&expected),
            &target,
            false,
            Control::default(),
        )
        .await
        .unwrap();
        assert!(std::fs::read(&target).unwrap() == content, "restored otherwise");
        repeated += layers.repeated();
    }
    assert!(repeated > 500, "{repeated}");
    println!("{BACKUPS} backups made and restored, {repeated} calls made again, 0 failed");
}

#[tokio::test(start_paused = true)]
async fn great_objects_are_made_again_from_the_volume() {
    let mut random = Random::new("great retries");
    // Streamed while they are made, given up and put again raw, and some only zeros.
    let mut content = random.bytes(30 << 20);
    content[(10 << 20)..(20 << 20)].fill(0);
    content[(20 << 20)..(24 << 20)].fill(7);
    let volume = Volume::new(&content);
    for (seed, algorithm) in [(1, "none"), (2, "zlib"), (3, "zstd"), (4, "zstd"), (5, "none")] {
        let inner = Arc::new(MemoryStore::default());
        let layers = Layers::new("flaky", ENDURING, 8);
        let store = layers.round(Arc::new(Flaky::new(inner.clone(), seed)));
        let (source, control) = (Source::open(&volume.path).unwrap(), Control::default());
        let plan = plan(10 << 20, 4096, algorithm);
        let outcome = cofferdam_transfer::backup(store, source, plan, control.clone())
            .await
            .unwrap();
        let seen = control.progress.snapshot();
        assert_eq!(seen.done, content.len() as u64);
        assert_eq!((seen.skipped, outcome.zero_bytes), (10 << 20, 10 << 20));
        let sound = verify(&inner, &of_bytes(content.len() as u64)).await;
        assert!(matches!(sound, Verdict::Ok { .. }), "{algorithm}: {sound:?}");
    }
}
