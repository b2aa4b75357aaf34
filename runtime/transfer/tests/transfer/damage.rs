//! Whatever happens to an object of a backup is noticed, by verify and by restore, and named.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use cofferdam_transfer::{Expected, Verdict};

use crate::kit::{PREFIX, Random, Volume, backup, codes, plan, restore, verify};
use crate::store::MemoryStore;

struct Made {
    store: Arc<MemoryStore>,
    content: Vec<u8>,
    objects: BTreeMap<String, Bytes>,
    expected: Expected,
}

/// A backup of a few objects of every kind.
async fn made(random: &mut Random, algorithm: &str) -> Made {
    let content = [
        random.mixed(20_000, 3000),
        vec![b'z'; 8192],
        vec![0; 9000],
        random.bytes(9000),
    ]
    .concat();
    let volume = Volume::new(&content);
    let store = Arc::new(MemoryStore::default());
    let outcome = backup(&store, &volume.path, plan(8192, 1024, algorithm))
        .await
        .unwrap();
    let objects = store.objects().clone();
    let expected = Expected {
        seals: Some(outcome.seals),
        ..Expected::default()
    };
    Made {
        store,
        content,
        objects,
        expected,
    }
}

fn name(end: &str) -> String {
    format!("{PREFIX}{end}")
}

#[tokio::test]
async fn every_bit_flip_that_changes_anything_is_noticed() {
    let mut random = Random::new("bit flips");
    let (mut flips, mut same_content, mut unsealed) = (0, 0, 0);
    for algorithm in ["none", "zlib", "zstd", "bz2"] {
        let Made {
            store,
            content,
            objects,
            expected,
        } = made(&mut random, algorithm).await;
        for (name, bytes) in &objects {
            for _ in 0..12 {
                let bit = random.below(bytes.len() * 8);
                let mut spoilt = bytes.to_vec();
                spoilt[bit / 8] ^= 1 << (bit % 8);
                store.set(name, spoilt);
                let case = format!("{algorithm} {name} bit {bit}");
                flips += 1;
                let verdict = verify(&store, &expected).await;
                let restored = restore(&store, &expected).await;
                if let Verdict::Corrupt { findings } = &verdict {
                    let named = findings.iter().all(|finding| finding.to_string().contains(name));
                    assert!(named, "{case}: {findings:?}");
                    assert!(restored.is_err(), "{case}: verify and restore do not agree");
                } else {
                    // A compressed stream has bits that do not matter: another distance to the same text, padding.
                    assert!(
                        !name.ends_with("_metadata") && !name.ends_with("_sha256file"),
                        "{case}: {verdict:?}"
                    );
                    assert!(
                        algorithm != "none" && restored.unwrap().0 == content,
                        "{case}: undetected"
                    );
                    same_content += 1;
                }
                // Without the seals some flips cannot be seen, in texts that are not data or in the case of a tag; none
                // of them may reach the volume.
                if let Ok((restored, _)) = restore(&store, &Expected::default()).await {
                    assert!(restored == content, "{case}: restored something else");
                    assert!(!name.ends_with("_sha256file"), "{case}");
                    unsealed += usize::from(name.ends_with("_metadata"));
                }
            }
            store.set(name, bytes.clone());
        }
        assert_eq!(codes(&verify(&store, &expected).await), Vec::<&str>::new());
    }
    println!(
        "{flips} flips, 0 undetected; {same_content} decoded to the very same bytes; {unsealed} in texts of the \
         metadata, seen only when its seal is known"
    );
}

#[tokio::test]
async fn objects_that_are_cut_removed_added_swapped_or_lengthened_are_named_with_their_code() {
    let mut random = Random::new("damage");
    for algorithm in ["none", "zlib", "zstd", "bz2"] {
        let Made { store, objects, .. } = made(&mut random, algorithm).await;
        let check = async |damage: &str, object: &str, code: &str| {
            let case = format!("{algorithm}: {damage} {object}");
            let error = restore(&store, &Expected::default()).await.unwrap_err();
            assert_eq!(error.code(), code, "{case}: {error}");
            assert!(error.to_string().contains(object), "{case}: {error}");
            let verdict = verify(&store, &Expected::default()).await;
            assert_eq!(codes(&verdict), [code], "{case}: {verdict:?}");
            *store.objects() = objects.clone();
        };
        for (end, cut, longer) in [
            ("-00001", "object-truncated", "object-altered"),
            ("-00003", "object-truncated", "object-altered"),
            ("_metadata", "metadata-invalid", "metadata-invalid"),
            ("_sha256file", "sha256file-invalid", "sha256file-invalid"),
        ] {
            let (object, bytes) = (name(end), objects[&name(end)].clone());
            for length in [0, 1, bytes.len() / 2, bytes.len() - 1] {
                store.set(&object, bytes.slice(..length));
                check("cut", &object, cut).await;
            }
            store.set(&object, [&bytes[..], b"x"].concat());
            check("lengthened", &object, longer).await;
            store.objects().remove(&object);
            check("removed", &object, "object-missing").await;
        }
        for added in ["-00099", "-000001", "_extra", "x"] {
            store.set(&name(added), "added");
            check("added", &name(added), "object-added").await;
        }
        let (one, two) = (objects[&name("-00001")].clone(), objects[&name("-00002")].clone());
        store.set(&name("-00001"), two);
        store.set(&name("-00002"), one);
        let error = restore(&store, &Expected::default()).await.unwrap_err();
        assert!(error.is_corruption(), "swapped: {error}");
        *store.objects() = objects.clone();
    }
}

#[tokio::test]
async fn a_listing_that_lags_behind_condemns_no_backup_and_hides_no_damage() {
    let volume = Volume::new(&[7; 40_000]);
    let store = Arc::new(MemoryStore {
        unlisted: &["-00001", "-00003", "_metadata", "_sha256file"],
        ..MemoryStore::default()
    });
    backup(&store, &volume.path, plan(8192, 1024, "none"))
        .await
        .unwrap();
    let (content, _) = restore(&store, &Expected::default()).await.unwrap();
    assert!(content == [7; 40_000]);
    let verdict = verify(&store, &Expected::default()).await;
    assert!(matches!(verdict, Verdict::Ok { .. }), "{verdict:?}");
    store.objects().remove(&name("-00003"));
    let verdict = verify(&store, &Expected::default()).await;
    assert_eq!(codes(&verdict), ["object-missing"], "{verdict:?}");
}

#[tokio::test]
async fn verify_names_everything_that_is_wrong() {
    let mut random = Random::new("many faults");
    let Made { store, objects, .. } = made(&mut random, "zlib").await;
    store.objects().remove(&name("-00002"));
    store.set(&name("-00004"), objects[&name("-00003")].clone());
    store.set(&name("-00005"), objects[&name("-00005")].slice(..3));
    store.objects().remove(&name("_sha256file"));
    store.set(&name("-00050"), "added");
    let verdict = verify(&store, &Expected::default()).await;
    let mut codes = codes(&verdict);
    codes.sort_unstable();
    let expected = [
        "object-added",
        "object-altered",
        "object-missing",
        "object-missing",
        "object-truncated",
    ];
    assert_eq!(codes, expected, "{verdict:?}");
}

#[tokio::test]
async fn the_digests_catch_what_the_md5_does_not() {
    // An object replaced together with its MD5: only the other control object knows better.
    let volume = Volume::new(&[b'a'; 16384]);
    let store = Arc::new(MemoryStore::default());
    backup(&store, &volume.path, plan(8192, 1024, "none"))
        .await
        .unwrap();
    let (old, mut forged) = (vec![b'a'; 8192], vec![b'a'; 8192]);
    forged[5000] = b'b';
    let md5 = |bytes: &[u8]| hex::encode(<md5::Md5 as md5::Digest>::digest(bytes));
    let metadata = String::from_utf8(store.bytes(&name("_metadata"))).unwrap();
    store.set(
        &name("_metadata"),
        metadata.replacen(&md5(&old), &md5(&forged), 1),
    );
    store.set(&name("-00001"), forged);
    let error = restore(&store, &Expected::default()).await.unwrap_err();
    assert_eq!(error.code(), "object-altered");
    assert!(error.to_string().contains("block 4"), "{error}");
    assert_eq!(
        codes(&verify(&store, &Expected::default()).await),
        ["object-altered"]
    );
}

#[tokio::test]
async fn a_bomb_is_stopped_at_the_declared_length() {
    let volume = Volume::new(&[b'a'; 16384]);
    for algorithm in ["zlib", "zstd", "bz2"] {
        let store = Arc::new(MemoryStore::default());
        backup(&store, &volume.path, plan(8192, 1024, algorithm))
            .await
            .unwrap();
        let bombs = Volume::new(&vec![b'a'; 64 << 20]);
        let other = Arc::new(MemoryStore::default());
        backup(&other, &bombs.path, plan(64 << 20, 1024, algorithm))
            .await
            .unwrap();
        store.set(&name("-00001"), other.bytes(&name("-00001")));
        assert_eq!(
            restore(&store, &Expected::default()).await.unwrap_err().code(),
            "object-altered"
        );
    }
}

#[tokio::test]
async fn another_backup_or_an_incremental_one_without_its_parent_is_refused() {
    let mut random = Random::new("others");
    let Made {
        store,
        content,
        objects,
        ..
    } = made(&mut random, "none").await;
    let wrong_size = Expected {
        bytes: Some(content.len() as u64 + 1),
        ..Expected::default()
    };
    assert_eq!(
        restore(&store, &wrong_size).await.unwrap_err().code(),
        "wrong-backup"
    );
    let wrong_id = Expected {
        backup_id: Some("another".into()),
        ..Expected::default()
    };
    assert_eq!(
        restore(&store, &wrong_id).await.unwrap_err().code(),
        "wrong-backup"
    );

    let metadata = String::from_utf8(objects[&name("_metadata")].to_vec()).unwrap();
    let child = metadata.replace("\"parent_id\": null", "\"parent_id\": \"another\"");
    store.set(&name("_metadata"), child);
    let error = restore(&store, &Expected::default()).await.unwrap_err();
    assert_eq!(error.code(), "chain-broken");
    assert!(
        error
            .to_string()
            .contains("builds on backup another, not on none"),
        "{error}"
    );
    assert_eq!(
        codes(&verify(&store, &Expected::default()).await),
        ["chain-broken"]
    );
}
