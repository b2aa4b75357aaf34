//! The drivers that Cinder has, too, against the conformance kit, on a real folder and a real Swift.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod kit;

use cofferdam_conformance::{Room, Setup};
use cofferdam_tests::servers::Swift;
use cofferdam_tests::{TestSandbox, drivers};

use kit::{Ballast, CONTAINER, Mounted, at_server, conforms, files, in_folder, settings};

#[tokio::test(flavor = "multi_thread")]
async fn posix_keeps_every_promise() {
    let test = TestSandbox::start().await;
    let mounted = Mounted::mount();
    let folder = mounted
        .as_ref()
        .map_or(test.folder(), |mounted| mounted.0.path())
        .join("root");
    std::fs::create_dir(&folder).unwrap();
    let room: Option<Box<dyn Room>> = match &mounted {
        Some(mounted) => Some(Box::new(Ballast(mounted.0.path().join("ballast")))),
        None => None,
    };
    let setup = Setup {
        room,
        thousands: mounted.is_some(),
        ..in_folder("backup_posix_path", &folder)
    };
    conforms(&test, &drivers().join("posix.wasm"), setup).await;
    // What the kit leaves is folders, and no file, not even a hidden one.
    assert_eq!(files(&folder), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_keeps_every_promise_on_a_real_swift() {
    let Some(swift) = Swift::start(23400) else { return };
    let test = TestSandbox::start().await;
    let part: i64 = 5 << 20;
    let texts = [
        ("backup_s3_endpoint_url", swift.value("swift_url")),
        ("backup_s3_store_access_key", swift.value("user")),
        ("backup_s3_store_secret_key", swift.value("key")),
        ("backup_s3_store_bucket", CONTAINER),
    ];
    let sizes = [
        ("backup_s3_multipart_threshold", part),
        ("backup_s3_part_size", part),
    ];
    let setup = Setup {
        boundaries: vec![5 << 20, 10 << 20],
        ..at_server(swift.value("swift_url"), settings(&texts, &sizes))
    };
    conforms(&test, &drivers().join("s3.wasm"), setup).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn swift_keeps_every_promise_on_a_real_swift() {
    let Some(swift) = Swift::start(23500) else { return };
    let test = TestSandbox::start().await;
    let texts = [
        ("backup_swift_auth_url", swift.value("auth_url")),
        ("backup_swift_user", swift.value("user")),
        ("backup_swift_key", swift.value("key")),
    ];
    let setup = at_server(swift.value("swift_url"), settings(&texts, &[]));
    conforms(&test, &drivers().join("swift.wasm"), setup).await;
}
