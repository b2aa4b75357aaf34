//! Every driver that comes with Cofferdam against the conformance kit, on a real folder, a real Swift and a real WebDAV server; and
//! drivers that are broken on purpose, which the kit must find out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod kit;

use std::collections::BTreeMap;
use std::path::Path;

use cofferdam_conformance::{Case, Report, Room, Setup, Subject, cases, run};
use cofferdam_sandbox::requirements::{Grants, Written};
use cofferdam_tests::servers::{Swift, WebDav};
use cofferdam_tests::{TestSandbox, drivers, hostile};

use kit::{Ballast, Mounted, in_folder, limits, settings};

const CONTAINER: &str = "cofferdam-conformance";
const SEED: u64 = 7;
const ONE_VERSION: &str = "a reader gets one version whole while others are being put";

/// A server's address that the driver may reach.
fn at_server(url: &str, settings: BTreeMap<String, Written>) -> Setup {
    Setup {
        settings,
        grants: Grants {
            http: vec![url.parse().unwrap()],
            ..Grants::default()
        },
        limits: limits(),
        ..Setup::default()
    }
}

async fn tried(test: &TestSandbox, file: &Path, setup: Setup, cases: &[Case]) -> Report {
    let subject = Subject::load(&test.sandbox, file, setup).await.unwrap();
    run(&subject, CONTAINER, cases, SEED, |tried| println!("{tried}")).await
}

/// Every case, printed; none may fail.
async fn conforms(test: &TestSandbox, driver: &str, setup: Setup) {
    conforms_in(test, driver, setup, &cases::all()).await;
}

/// These cases, printed; none may fail.
async fn conforms_in(test: &TestSandbox, driver: &str, setup: Setup, cases: &[Case]) {
    let report = tried(test, &drivers().join(driver), setup, cases).await;
    println!("\n{report}\n");
    assert_eq!(report.failures(), [""; 0], "{driver}: {} failed", report.failed());
    assert!(
        report.passed() > 25,
        "{driver}: only {} cases were run",
        report.passed()
    );
}

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
    conforms(&test, "posix.wasm", setup).await;
    // What the kit leaves is folders, and no file, not even a hidden one.
    assert_eq!(files(&folder), 0);
}

fn files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { files(&path) } else { 1 })
        .sum()
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
    conforms(&test, "s3.wasm", setup).await;
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
    conforms(&test, "swift.wasm", setup).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webdav_keeps_every_promise_on_a_real_apache() {
    let Some(server) = WebDav::start(23600) else {
        return;
    };
    let test = TestSandbox::start().await;
    let texts = [
        ("webdav_url", server.value("webdav_url")),
        ("webdav_user", server.value("user")),
        ("webdav_password", server.value("password")),
    ];
    let origin = server.value("webdav_url").trim_end_matches("/backups");
    let setup = at_server(origin, settings(&texts, &[]));
    // Apache tells the length of a file before it opens it. Of one that is replaced in that moment it sends the old length and the
    // new bytes, and no driver can see that.
    let mut cases = cases::all();
    cases.retain(|case| case.name != ONE_VERSION);
    assert!(
        cases.len() < cases::all().len(),
        "{ONE_VERSION} has another name now"
    );
    conforms_in(&test, "webdav-rust.wasm", setup, &cases).await;
    assert_eq!(files(&server.folder()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_out_of_the_template_keeps_every_promise() {
    let test = TestSandbox::start().await;
    let folder = test.folder().join("root");
    std::fs::create_dir(&folder).unwrap();
    conforms(&test, "shelf-rust.wasm", in_folder("shelf_rust_path", &folder)).await;
    assert_eq!(files(&folder), 0);
}

const LEAST: &str = "an object of no bytes and one of one byte come back as they were put";
const SIZES: &str = "sizes about those in which bytes travel come back as they were put";
const BREAKS: &str = "a body that breaks leaves what was there before";
const RANGES: &str = "a range gives the bytes that are there of it, wherever it begins and ends";
const MISSING: &str = "what is not there is not found, whether object or container";
const PREFIXES: &str = "a prefix takes what begins with it and nothing else";
const PAGES: &str = "pages of any size give every name once and in byte order";
const EMPTY: &str = "what holds nothing lists empty";
const NOT_YET: &str = "an object that is being put is not there yet";
const CANCELLED: &str = "a put that is cancelled leaves what was there, and writes nothing later";
const GREAT: &str = "an object half as great again as the instance's memory passes both ways";
const DIES: &str =
    "an instance that dies anywhere within a put leaves nothing or all of it, and the next one works";

/// Guests with one fault each, and cases that must find it.
const BROKEN: &[(&str, &[&str])] = &[
    ("short-put", &[LEAST, SIZES]),
    ("body-ignored-put", &[LEAST, SIZES]),
    ("put-nothing-quietly", &[LEAST, SIZES, RANGES]),
    ("partial-put", &[BREAKS, NOT_YET, CANCELLED, DIES]),
    ("trap-in-put", &[LEAST, SIZES]),
    ("wrong-get", &[LEAST, SIZES, RANGES]),
    ("short-get", &[LEAST, SIZES, RANGES]),
    ("long-get", &[LEAST, SIZES, RANGES]),
    ("lying-get", &[LEAST, SIZES, RANGES]),
    ("get-forever", &[LEAST, MISSING]),
    ("list-partial", &[PREFIXES, PAGES]),
    ("endless-pages", &[EMPTY, PAGES]),
];

#[tokio::test(flavor = "multi_thread")]
async fn broken_drivers_are_found_out_and_an_honest_one_is_not() {
    let test = TestSandbox::start().await;
    // Its objects are in its memory while they are put: that alone is found.
    let report = broken(&test, "good", &cases::all()).await;
    assert_eq!(report.failures(), [GREAT], "good");
    for (guest, expected) in BROKEN {
        let cases: Vec<Case> = cases::all()
            .into_iter()
            .filter(|case| expected.contains(&case.name))
            .collect();
        assert_eq!(
            cases.len(),
            expected.len(),
            "a case of {guest} has another name now"
        );
        let report = broken(&test, guest, &cases).await;
        assert_eq!(report.failed(), expected.len(), "{guest} passes\n{report}");
    }
    println!(
        "{} broken drivers, each found out by every case that is named for it",
        BROKEN.len()
    );
}

async fn broken(test: &TestSandbox, guest: &str, cases: &[Case]) -> Report {
    println!("\n== {guest}");
    let folder = test.folder().join(guest);
    std::fs::create_dir(&folder).unwrap();
    tried(test, &hostile(guest), in_folder("hostile_path", &folder), cases).await
}
