//! What is backed up comes back bit for bit, whatever the volume, the algorithm and the sizes.

use std::sync::Arc;

use cofferdam_sandbox::contract::BodyNeeds;
use cofferdam_transfer::{Control, Expected, Source, Verdict};

use crate::kit::{Random, Volume, backup, link, of_bytes, plan, restore, verify};
use crate::store::MemoryStore;

const ALGORITHMS: [&str; 5] = ["none", "zlib", "ZSTD", "bz2", "gzip"];

async fn round(content: &[u8], object: u64, block: u32, algorithm: &str, store: MemoryStore) {
    let case = format!(
        "{} bytes, object {object}, block {block}, {algorithm}",
        content.len()
    );
    let volume = Volume::new(content);
    let store = Arc::new(store);
    let outcome = backup(&store, &volume.path, plan(object, block, algorithm))
        .await
        .expect(&case);
    assert_eq!(
        outcome.object_count,
        (content.len() as u64).div_ceil(object),
        "{case}"
    );
    assert_eq!(outcome.bytes, content.len() as u64, "{case}");
    let objects = store
        .objects()
        .iter()
        .filter(|(name, _)| !name.contains("_sha256file") && !name.contains("_metadata"))
        .map(|(_, object)| object.len() as u64)
        .sum::<u64>();
    assert_eq!(outcome.stored_bytes, objects, "{case}");
    let expected = Expected {
        bytes: Some(content.len() as u64),
        backup_id: Some("22222222-2222-2222-2222-222222222222".into()),
        seals: Some(outcome.seals),
    };
    assert!(
        restore(&store, &expected).await.expect(&case).0 == content,
        "{case}: the content is another"
    );
    let verdict = verify(&store, &expected).await;
    assert_eq!(
        verdict,
        Verdict::Ok {
            objects: outcome.object_count,
            bytes: content.len() as u64
        },
        "{case}"
    );
}

#[tokio::test]
async fn random_sparse_volumes_come_back_bit_for_bit() {
    let mut random = Random::new("roundtrip");
    for turn in 0..240 {
        let length = 1 + random.below(if turn % 4 == 0 { 200_000 } else { 3000 });
        let content = random.mixed(length, length / 3 + 1);
        let block = [1, 4, 7, 64, 512, 4096][random.below(6)];
        let object = u64::from(block)
            * (1 + random.below(2 * length / block as usize + 2)).max(length / 300 / block as usize) as u64;
        let algorithm = ALGORITHMS[turn % ALGORITHMS.len()];
        let needs = if turn % 3 == 0 {
            BodyNeeds::all()
        } else {
            BodyNeeds::empty()
        };
        let store = MemoryStore {
            needs,
            piece: 1 + random.below(5000),
            ..MemoryStore::default()
        };
        round(&content, object, block, algorithm, store).await;
    }
}

#[tokio::test]
async fn odd_sizes_come_back_bit_for_bit() {
    let mut random = Random::new("odd sizes");
    for algorithm in ALGORITHMS {
        for length in [1, 3, 4, 5, 7, 8, 9, 15, 16, 17] {
            round(&random.bytes(length), 8, 4, algorithm, MemoryStore::default()).await;
            round(&vec![0; length], 8, 4, algorithm, MemoryStore::default()).await;
        }
        for length in [(1 << 20) - 1, 1 << 20, (1 << 20) + 1, (5 << 20) + 17] {
            let content = random.mixed(length, 300_000);
            round(&content, 1 << 20, 32768, algorithm, MemoryStore::default()).await;
            round(&content, 3 << 20, 3 << 20, algorithm, MemoryStore::default()).await;
        }
    }
}

#[tokio::test]
async fn great_objects_stream_and_come_back_also_when_the_driver_needs_digests() {
    let mut random = Random::new("great objects");
    let content = random.mixed(30 << 20, 3 << 20);
    for algorithm in ["none", "zstd", "zlib"] {
        for needs in [
            BodyNeeds::empty(),
            BodyNeeds::SIZE,
            BodyNeeds::MD5 | BodyNeeds::SHA256 | BodyNeeds::CRC32C,
        ] {
            let store = MemoryStore {
                needs,
                ..MemoryStore::default()
            };
            round(&content, 16 << 20, 32768, algorithm, store).await;
        }
    }
}

#[tokio::test]
async fn holes_are_not_written_and_progress_tells_the_truth() {
    let mut content = vec![0; 24 << 20];
    content[9 << 20..(9 << 20) + 100_000].fill(7);
    let volume = Volume::new(&content);
    let store = Arc::new(MemoryStore::default());
    let control = Control::default();
    let source = Source::open(&volume.path).unwrap();
    let plan = plan(8 << 20, 32768, "zlib");
    let outcome = cofferdam_transfer::backup(store.clone(), source, plan, control.clone())
        .await
        .unwrap();
    assert_eq!(outcome.zero_bytes, 23 << 20);
    assert!(outcome.stored_bytes < 100_000, "{}", outcome.stored_bytes);
    let seen = control.progress.snapshot();
    assert_eq!(
        (seen.total, seen.done, seen.skipped, seen.stored),
        (24 << 20, 24 << 20, 23 << 20, outcome.stored_bytes)
    );

    let target = volume.target();
    let restored = cofferdam_transfer::restore(
        store.clone(),
        &link(&of_bytes(24 << 20)),
        &target,
        false,
        Control::default(),
    )
    .await
    .unwrap();
    let blocks = std::os::unix::fs::MetadataExt::blocks(&std::fs::metadata(&target).unwrap()) * 512;
    assert!(blocks <= 256 << 10, "{blocks} bytes are allocated");
    assert!(restored.zero_bytes >= (24 << 20) - (256 << 10));
    assert!(std::fs::read(&target).unwrap() == content);

    // In place the zeros are written, and the tail stays.
    std::fs::write(&target, vec![0xff; (24 << 20) + 5]).unwrap();
    cofferdam_transfer::restore(
        store,
        &link(&of_bytes(24 << 20)),
        &target,
        true,
        Control::default(),
    )
    .await
    .unwrap();
    let bytes = std::fs::read(&target).unwrap();
    assert!(bytes[..24 << 20] == content && bytes[24 << 20..] == [0xff; 5]);
}
