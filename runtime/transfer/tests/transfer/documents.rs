//! The reference's vectors (3.12) byte for byte, and control documents that nobody should have written.

use std::sync::Arc;

use cofferdam_transfer::documents::{decode_metadata, decode_sha256file, encode_metadata, encode_sha256file};
use cofferdam_transfer::{Digests, Expected, Header, Metadata, ObjectEntry, Sha256file};
use sha2::{Digest, Sha256};

use crate::kit::{PREFIX, Volume, backup, plan, restore};
use crate::store::MemoryStore;

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn digest<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

#[tokio::test]
async fn a_full_backup_gives_the_reference_vectors_byte_for_byte() {
    let volume = Volume::new(b"AAAABBBBCCCC");
    let store = Arc::new(MemoryStore::default());
    let outcome = backup(&store, &volume.path, plan(8, 4, "none")).await.unwrap();
    assert_eq!(
        (
            outcome.object_count,
            outcome.bytes,
            outcome.stored_bytes,
            outcome.zero_bytes
        ),
        (2, 12, 12, 0)
    );
    let names: Vec<_> = ["-00001", "-00002", "_metadata", "_sha256file"]
        .map(|end| format!("{PREFIX}{end}"))
        .into();
    assert_eq!(store.names(), names);
    assert_eq!(store.bytes(&names[0]), b"AAAABBBB");
    assert_eq!(store.bytes(&names[1]), b"CCCC");
    let (metadata, file) = (store.bytes(&names[2]), store.bytes(&names[3]));
    assert_eq!(metadata.len(), 865, "{}", String::from_utf8_lossy(&metadata));
    assert_eq!(
        sha256(&metadata),
        "356b8e82a8ed86aea319d889a148bec3e34c29e39917605bdc6df07830c270cd"
    );
    assert_eq!(file.len(), 498);
    assert_eq!(
        sha256(&file),
        "6f2f7a78fbdef4c1a9ce159337b9ab1a46549b790f3a379fa31efd98e8fea971"
    );
    assert_eq!(
        (sha256(&metadata), sha256(&file)),
        (outcome.seals.metadata, outcome.seals.sha256file)
    );
    assert_eq!(
        restore(&store, &Expected::default()).await.unwrap().0,
        b"AAAABBBBCCCC"
    );
}

#[test]
fn an_incremental_backups_documents_are_the_reference_vectors_byte_for_byte() {
    let prefix = "volume_11111111-1111-1111-1111-111111111111/20240103030405/\
                  az_nova_backup_33333333-3333-3333-3333-333333333333";
    let header = Header {
        backup_id: "33333333-3333-3333-3333-333333333333".into(),
        volume_id: "11111111-1111-1111-1111-111111111111".into(),
        backup_name: Some("incr".into()),
        backup_description: Some("d".into()),
        created_at: "2024-01-03 03:04:05+00:00".into(),
    };
    let entry = |offset, md5| ObjectEntry {
        compression: "None".parse().unwrap(),
        length: 4,
        md5: digest(md5),
        offset,
    };
    let metadata = Metadata {
        header: header.clone(),
        objects: vec![
            entry(4, "ad347226dcc1d205f58e693925c28783"),
            entry(8, "8df34bb962577b90d574a51ed2ca757f"),
        ],
        parent_id: Some("22222222-2222-2222-2222-222222222222".into()),
        volume_meta: None,
    };
    let mut bytes = Vec::new();
    encode_metadata(&mut bytes, prefix, &metadata).unwrap();
    assert_eq!(bytes.len(), 874);
    assert_eq!(
        sha256(&bytes),
        "93d08304a8f6c075e20616bd6eaa6c2304ce28c2f08a4173ac4e025adb0e1aa2"
    );
    assert_eq!(decode_metadata("m", prefix, &bytes).unwrap(), metadata);
    assert!(
        metadata.check_full().is_err(),
        "an incremental backup does not cover its volume"
    );

    let file = Sha256file {
        header,
        block_size: 4,
        digests: [
            digest("63c1dd951ffedf6f7fd968ad4efa39b8ed584f162f46e715114ee184f8de9201"),
            digest("7b346904f63cc07f1d8cc2d88d7dae08a3f088a0e4159d5214c27a6571a51eb4"),
            digest("ca4a44265c3e3465786442d5dbd40c2e3b2520ace19b6ce372b23550215afcd9"),
        ]
        .into_iter()
        .collect(),
    };
    let mut bytes = Vec::new();
    encode_sha256file(&mut bytes, &file).unwrap();
    assert_eq!(bytes.len(), 487);
    assert_eq!(
        sha256(&bytes),
        "207d63c52030d080976dfbfabbbac435d64f29c157f22c2f5c6367f953fcebcb"
    );
    assert_eq!(decode_sha256file("s", bytes.as_slice(), 12).unwrap(), file);
}

#[test]
fn empty_lists_are_written_as_python_writes_them() {
    let header = Header {
        backup_id: "b".into(),
        volume_id: "v".into(),
        backup_name: None,
        backup_description: None,
        created_at: "2026-11-23 00:21:50.961231+00:00".into(),
    };
    let mut bytes = Vec::new();
    let metadata = Metadata {
        header: header.clone(),
        objects: Vec::new(),
        parent_id: Some("p".into()),
        volume_meta: None,
    };
    encode_metadata(&mut bytes, "x", &metadata).unwrap();
    assert!(
        String::from_utf8(bytes.clone())
            .unwrap()
            .contains("  \"objects\": [],\n")
    );
    assert_eq!(decode_metadata("m", "x", &bytes).unwrap(), metadata);
    let mut bytes = Vec::new();
    encode_sha256file(
        &mut bytes,
        &Sha256file {
            header,
            block_size: 4,
            digests: Digests::new(),
        },
    )
    .unwrap();
    assert!(String::from_utf8(bytes).unwrap().contains("  \"sha256s\": [],\n"));
}

/// A metadata document of one object, to be spoilt.
fn document() -> String {
    let md5 = "d41d8cd98f00b204e9800998ecf8427e";
    format!(
        "{{\"backup_description\": null, \"backup_id\": \"b\", \"backup_name\": null, \"created_at\": \"c\", \
         \"objects\": [{{\"p-00001\": {{\"compression\": \"zlib\", \"length\": 8, \"md5\": \"{md5}\", \"offset\": 0}}}}], \
         \"parent_id\": null, \"version\": \"1.0.0\", \"volume_id\": \"v\", \"volume_meta\": null}}"
    )
}

#[test]
fn what_cinder_may_write_is_read() {
    for (from, to) in [
        ("\"zlib\"", "\"GZip\""),
        (
            "\"volume_id\"",
            "\"extra_metadata\": {\"a\": [1.5e3]}, \"volume_id\"",
        ),
        ("\"parent_id\": null, ", ""),
        (
            "\"volume_meta\": null",
            "\"volume_meta\": \"{\\\"version\\\": 1}\"",
        ),
        ("\"c\"", "\"2026-11-23 00:21:50.961231+00:00\""),
    ] {
        let spoilt = document().replace(from, to);
        assert_ne!(spoilt, document());
        decode_metadata("m", "p", spoilt.as_bytes()).unwrap();
    }
}

#[test]
fn metadata_that_makes_no_sense_is_refused_with_its_code() {
    for (from, to, code) in [
        ("1.0.0", "1.0.1", "unsupported-version"),
        ("zlib", "lz4", "unsupported-compression"),
        ("p-00001", "p-00002", "metadata-invalid"),
        ("p-00001", "q-00001", "metadata-invalid"),
        ("p-00001", "p-000001", "metadata-invalid"),
        ("p-00001", "p-1", "metadata-invalid"),
        ("d41d", "D41D", "metadata-invalid"),
        ("d41d", "d41", "metadata-invalid"),
        ("\"length\": 8", "\"length\": -8", "metadata-invalid"),
        ("\"length\": 8", "\"length\": 8.0", "metadata-invalid"),
        (
            "\"length\": 8",
            "\"length\": 18446744073709551616",
            "metadata-invalid",
        ),
        (
            "\"length\": 8",
            "\"length\": 8, \"length\": 8",
            "metadata-invalid",
        ),
        ("backup_name", "backup_nane", "metadata-invalid"),
        (
            "\"volume_meta\": null",
            "\"volume_meta\": null, \"volume_meta\": null",
            "metadata-invalid",
        ),
        ("\"volume_meta\": null", "\"volume_meta\": {}", "metadata-invalid"),
        ("\"objects\": [", "\"objects\": [{}, ", "metadata-invalid"),
        ("\"backup_id\": \"b\", ", "", "metadata-invalid"),
        ("}]", "}", "metadata-invalid"),
    ] {
        let spoilt = document().replacen(from, to, 1);
        assert_ne!(spoilt, document());
        let error = decode_metadata("m", "p", spoilt.as_bytes()).unwrap_err();
        assert_eq!(error.code(), code, "{from} → {to}: {error}");
    }
    let deep = "[".repeat(1 << 20);
    assert_eq!(
        decode_metadata("m", "p", deep.as_bytes()).unwrap_err().code(),
        "metadata-invalid"
    );
    let trailing = format!("{}x", document());
    assert_eq!(
        decode_metadata("m", "p", trailing.as_bytes()).unwrap_err().code(),
        "metadata-invalid"
    );
}

#[test]
fn objects_must_cover_the_volume_without_gap_overlap_or_overflow() {
    let entry = |offset, length| ObjectEntry {
        compression: "none".parse().unwrap(),
        length,
        md5: [0; 16],
        offset,
    };
    let mut metadata = decode_metadata("m", "p", document().as_bytes()).unwrap();
    let mut check = |objects: &[ObjectEntry]| {
        metadata.objects = objects.to_vec();
        metadata.check_full()
    };
    assert_eq!(check(&[entry(0, 8), entry(8, 1)]).unwrap(), 9);
    for wrong in [
        &[][..],
        &[entry(1, 8)],
        &[entry(0, 8), entry(9, 1)],
        &[entry(0, 8), entry(7, 1)],
        &[entry(0, 8), entry(8, 0)],
        &[entry(0, u64::MAX)],
        &[entry(0, 8), entry(8, u64::MAX)],
        &[entry(0, i64::MAX as u64), entry(i64::MAX as u64, 1)],
    ] {
        assert!(check(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_list_of_digests_is_read_in_bounded_memory_or_refused() {
    let head = "{\"backup_description\": null, \"backup_id\": \"b\", \"backup_name\": null, \"chunk_size\": 4, \
                \"created_at\": \"c\", \"sha256s\": [";
    let tail = "], \"version\": \"1.0.0\", \"volume_id\": \"v\"}";
    let one = format!("\"{}\"", "ab".repeat(32));
    let read = |text: &str, bytes| decode_sha256file("s", text.as_bytes(), bytes);
    let whole = format!("{head}{one}, {one}{tail}");
    assert!(read(&whole, 8).unwrap().digests.iter().eq(&[[0xab; 32]; 2]));
    assert_eq!(read(&whole, 5).unwrap().digests.len(), 2);
    for (text, bytes) in [
        (whole.clone(), 4),
        (whole.clone(), 9),
        (whole.replace("\"chunk_size\": 4", "\"chunk_size\": 0"), 8),
        (whole.replace("\"chunk_size\": 4, ", ""), 8),
        (whole.replace("abab", "ABAB"), 8),
        (whole.replacen("abab", "aba", 1), 8),
        (whole.replace("volume_id", "volume_ie"), 8),
        (whole.replace("\"b\"", &format!("\"{}\"", "b".repeat(2 << 20))), 8),
        (format!("{head}{}{tail}", [one.as_str(); 1000].join(",")), 8),
        (format!("{head}{one},{}{one}{tail}", " ".repeat(2 << 20)), 8),
        (format!("{whole}{}", " ".repeat(2 << 20)), 8),
        (format!("{whole}x"), 8),
    ] {
        let error = read(&text, bytes).unwrap_err();
        assert_eq!(error.code(), "sha256file-invalid", "{error}");
    }
    assert_eq!(
        read(&whole.replace("1.0.0", "2.0.0"), 8).unwrap_err().code(),
        "unsupported-version"
    );
}
