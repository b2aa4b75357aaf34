//! The posix driver through the sandbox: the promises of the contract, one by one, on a real folder.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use cofferdam_sandbox::contract::{BackupIdentity, BodyInfo, ByteRange, ObjectAddress, SettingValue};
use cofferdam_sandbox::requirements::{DirectoryGrant, Grants, Written, provide};
use cofferdam_sandbox::{Budget, Failure, Instance, stream};
use cofferdam_tests::{PLENTY, TestSandbox, drivers};

const ID: &str = "22222222-2222-4222-8222-222222222222";

fn budget() -> Budget {
    Budget::new(Duration::from_secs(30), PLENTY)
}

struct Posix {
    test: TestSandbox,
    instance: Instance,
    root: PathBuf,
}

impl Posix {
    /// An instance that is set up on a new folder, with these settings besides the path.
    async fn new() -> Self {
        Self::with(&[]).await.unwrap()
    }

    async fn with(settings: &[(&str, SettingValue)]) -> Result<Self, Failure> {
        let test = TestSandbox::start().await;
        let root = test.folder().join("root");
        std::fs::create_dir(&root).unwrap();
        let driver = test.load(&drivers().join("posix.wasm")).await?;
        let limits = std::sync::Arc::new(test.limits.clone());
        let info = test.sandbox.describe(&driver, "test", &limits, &budget()).await?;
        let mut all: BTreeMap<String, Written> = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone().into()))
            .collect();
        all.insert(
            "backup_posix_path".into(),
            SettingValue::Text(root.to_string_lossy().into()).into(),
        );
        let grants = Grants {
            directories: vec![DirectoryGrant {
                path: root.clone(),
                write: true,
            }],
            ..Grants::default()
        };
        let provision = provide(&info, &all, &grants)?;
        let instance = test
            .provide(&driver, &provision, Duration::from_secs(30), PLENTY)
            .await?;
        instance.do_setup(&provision.settings, &budget()).await?;
        Ok(Posix { test, instance, root })
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let (writer, reader) = stream::channel(4);
        let bytes = Bytes::copy_from_slice(bytes);
        let feed = async move {
            let _ = writer.write(bytes).await;
            let _ = writer.finish().await;
        };
        let (stored, ()) = tokio::join!(
            self.instance.put_object(at("c", name), reader, nothing_known()),
            feed
        );
        stored.map(drop)
    }

    async fn get(&self, name: &str, range: Option<ByteRange>) -> Result<Vec<u8>, Failure> {
        let (writer, mut reader) = stream::channel(4);
        let drain = async move {
            let mut all = Vec::new();
            while let Ok(Some(piece)) = reader.next().await {
                all.extend_from_slice(&piece);
            }
            all
        };
        let (said, all) = tokio::join!(self.instance.get_object(at("c", name), range, writer), drain);
        said.map(|_| all)
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.root.join("c"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn at(container: &str, name: &str) -> ObjectAddress {
    ObjectAddress {
        container: container.into(),
        name: name.into(),
    }
}

fn nothing_known() -> BodyInfo {
    BodyInfo {
        size: None,
        md5: None,
        sha256: None,
        crc32c: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_is_got_whole_and_in_ranges() {
    let posix = Posix::new().await;
    posix.instance.create_container("c").await.unwrap();
    posix.instance.create_container("c").await.unwrap();
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    posix.put("o", &bytes).await.unwrap();
    assert!(posix.get("o", None).await.unwrap() == bytes);
    for (offset, length, expected) in [
        (0, Some(10), &bytes[..10]),
        (2_999_990, None, &bytes[2_999_990..]),
        (2_999_990, Some(1000), &bytes[2_999_990..]),
        (3_000_000, Some(5), &[][..]),
        (u64::MAX, Some(u64::MAX), &[][..]),
        (5, Some(0), &[][..]),
    ] {
        let got = posix.get("o", Some(ByteRange { offset, length })).await.unwrap();
        assert!(got == expected, "{offset} {length:?}: {} bytes", got.len());
    }
    assert_eq!(
        posix.instance.stat_object(at("c", "o")).await.unwrap().size,
        3_000_000
    );
    posix.put("o", b"new").await.unwrap();
    assert_eq!(posix.get("o", None).await.unwrap(), b"new");
    posix.put("empty", b"").await.unwrap();
    assert_eq!(posix.get("empty", None).await.unwrap(), b"");
    assert_eq!(posix.files(), ["empty", "o"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_leaves_what_was_there_and_nothing_else() {
    let posix = Posix::new().await;
    posix.instance.create_container("c").await.unwrap();
    posix.put("old", b"old").await.unwrap();
    for name in ["old", "new"] {
        let (writer, reader) = stream::channel(4);
        let feed = async move {
            writer.write(Bytes::from(vec![1; 1 << 20])).await.unwrap();
            writer.fail("the volume shrank").await;
        };
        let put = posix.instance.put_object(at("c", name), reader, nothing_known());
        let (failure, ()) = tokio::join!(put, feed);
        let failure = failure.unwrap_err();
        assert_eq!(failure.code(), "driver.failed", "{failure}");
        assert!(failure.to_string().contains("the volume shrank"), "{failure}");
    }
    assert_eq!(posix.get("old", None).await.unwrap(), b"old");
    assert_eq!(posix.files(), ["old"]);
    assert!(
        posix.instance.is_alive(),
        "a broken body is no fault of the driver's"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_leave_the_root_are_refused() {
    let posix = Posix::new().await;
    posix.instance.create_container("c").await.unwrap();
    let outside = posix.test.folder().join("outside");
    std::fs::write(&outside, "precious").unwrap();
    std::os::unix::fs::symlink("../..", posix.root.join("up")).unwrap();
    let long = "x".repeat(256);
    let names = [
        "",
        ".",
        "..",
        "../outside",
        "/etc/passwd",
        "a/../../outside",
        "a\0b",
        "a\nb",
        "a/b",
        &long,
    ];
    for name in names {
        let failure = posix.put(name, b"x").await.unwrap_err();
        assert!(failure.code().starts_with("driver."), "{name:?}: {failure:?}");
        assert!(posix.get(name, None).await.is_err(), "{name:?}");
        let _ = posix.instance.delete_object(at("c", name)).await;
    }
    for container in ["", "..", "../c", "/tmp", "up", "up/root", "c/../..", "a//b"] {
        let _ = posix.instance.create_container(container).await;
        let (writer, reader) = stream::channel(1);
        drop(writer);
        let put = posix
            .instance
            .put_object(at(container, "outside"), reader, nothing_known())
            .await;
        assert!(put.is_err(), "{container:?}");
        let _ = posix.instance.delete_object(at(container, "outside")).await;
    }
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "precious");
    assert_eq!(
        std::fs::read_dir(posix.test.folder()).unwrap().count(),
        3,
        "compiled, outside, root"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn listings_are_complete_sorted_and_by_prefix() {
    let posix = Posix::new().await;
    let missing = posix.instance.list_objects("c", "p", None, 10).await.unwrap_err();
    assert!(missing.is_not_found(), "{missing:?}");
    posix.instance.create_container("c").await.unwrap();
    let folder = posix.root.join("c");
    for number in 0..2345 {
        std::fs::write(folder.join(format!("p-{number:05}")), "x").unwrap();
    }
    std::fs::write(folder.join("q"), "x").unwrap();
    std::fs::create_dir(folder.join("p-folder")).unwrap();
    std::fs::write(folder.join(".p-00001.cofferdam-part"), "x").unwrap();
    let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = posix.instance.list_objects("c", "p", after, 1000).await.unwrap();
        found.extend(page.objects.into_iter().map(|object| object.name));
        after = found.last().cloned();
        pages += 1;
        if !page.more {
            break;
        }
    }
    let expected: Vec<String> = (0..2345).map(|number| format!("p-{number:05}")).collect();
    assert!(found == expected, "{} names in {pages} pages", found.len());
    assert_eq!(pages, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_is_for_good_and_what_is_absent_is_deleted_already() {
    let posix = Posix::new().await;
    posix.instance.delete_object(at("c", "o")).await.unwrap();
    posix.instance.create_container("c").await.unwrap();
    posix.put("o", b"x").await.unwrap();
    // What a killed put left behind goes with the name.
    std::fs::write(posix.root.join("c/.o.cofferdam-part"), "half").unwrap();
    posix.instance.delete_object(at("c", "o")).await.unwrap();
    posix.instance.delete_object(at("c", "o")).await.unwrap();
    assert!(
        posix
            .instance
            .stat_object(at("c", "o"))
            .await
            .unwrap_err()
            .is_not_found()
    );
    assert_eq!(posix.files(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_setup_check_leaves_nothing_behind_and_notices_a_lost_root() {
    let posix = Posix::new().await;
    posix.instance.check_for_setup_error(&budget()).await.unwrap();
    posix.instance.probe(&budget()).await.unwrap();
    assert_eq!(std::fs::read_dir(&posix.root).unwrap().count(), 0);
    std::fs::remove_dir(&posix.root).unwrap();
    for failure in [
        posix.instance.check_for_setup_error(&budget()).await.unwrap_err(),
        posix.instance.probe(&budget()).await.unwrap_err(),
    ] {
        assert_eq!(failure.code(), "driver.unavailable", "{failure}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_placed_as_cinder_places_it() {
    let posix = Posix::new().await;
    let identity = || BackupIdentity {
        backup_id: ID.into(),
        volume_id: "11111111-1111-1111-1111-111111111111".into(),
        timestamp: "20240102030405".into(),
        availability_zone: "nova".into(),
    };
    let placed = posix.instance.place_backup(identity(), None).await.unwrap();
    assert_eq!(placed.container, format!("22/22/{ID}"));
    assert_eq!(
        placed.prefix,
        format!("volume_11111111-1111-1111-1111-111111111111_20240102030405_backup_{ID}")
    );
    assert_eq!((placed.object_size, placed.block_size), (1_999_994_880, 32_768));
    let placed = posix
        .instance
        .place_backup(identity(), Some("mine".into()))
        .await
        .unwrap();
    assert_eq!(placed.container, "mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_make_no_sense_are_refused_by_name() {
    for (name, value) in [
        ("backup_file_size", SettingValue::Integer(0)),
        ("backup_file_size", SettingValue::Integer(32_769)),
        ("backup_file_size", SettingValue::Text("lots".into())),
        ("backup_sha_block_size_bytes", SettingValue::Integer(0)),
        ("backup_mount_options", SettingValue::Text("x".into())),
    ] {
        let Err(failure) = Posix::with(&[(name, value.clone())]).await else {
            panic!("{name} = {value:?} is taken")
        };
        assert_eq!(
            failure.code(),
            "driver.invalid-configuration",
            "{name} = {value:?}: {failure}"
        );
        assert!(failure.to_string().contains(name), "{failure}");
    }
}
