//! Every hostile guest against the sandbox: one behaviour each, one asserted outcome, and a healthy neighbour that is
//! not disturbed. A guest without a row here fails the first test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

use std::time::{Duration, Instant};

use bytes::Bytes;
use cofferdam_sandbox::contract::{BodyInfo, ObjectAddress, SettingValue};
use cofferdam_sandbox::requirements::{DirectoryGrant, Grants, provide};
use cofferdam_sandbox::{Budget, Failure, Instance, stream};
use cofferdam_tests::{PLENTY, TestSandbox, drivers, hostile};

/// Guests that fail while they are initialised, and how: name, code, words of the message.
const AT_SETUP: &[(&str, &str, &str)] = &[
    ("spin-in-setup", "wall-timeout", "do-setup did not return within"),
    (
        "spin-in-start",
        "wall-timeout",
        "instantiate did not return within",
    ),
    (
        "spin-in-check",
        "wall-timeout",
        "check-for-setup-error did not return within",
    ),
    ("sleep-in-setup", "wall-timeout", "do-setup did not return within"),
    ("trap-in-setup", "trap", "unreachable"),
    ("trap-in-start", "trap", "unreachable"),
    ("panic-in-setup", "trap", "panicked at"),
    ("exit-in-setup", "trap", "exit code 0"),
    ("recurse-in-setup", "trap", "stack"),
    ("error-in-setup", "driver.unavailable", "do-setup failed"),
    (
        "error-in-check",
        "driver.unavailable",
        "check-for-setup-error failed",
    ),
    ("grow-in-setup", "memory-denied", "the limit is 67108864"),
    ("big-random", "trap", "exceeds limit"),
    ("leak-handles", "trap", "resource table"),
    ("big-error", "memory-denied", ""),
    (
        "read-env",
        "driver.failed",
        "arguments=[] environment=[] directory=None preopens=[]",
    ),
    (
        "sleep-in-start",
        "wall-timeout",
        "instantiate did not return within",
    ),
    (
        "sleep-in-describe",
        "wall-timeout",
        "describe did not return within",
    ),
    (
        "sleep-in-check",
        "wall-timeout",
        "check-for-setup-error did not return within",
    ),
    (
        "endless-host-calls",
        "wall-timeout",
        "do-setup did not return within",
    ),
    ("block-on-stdin", "driver.failed", "standard input is empty"),
    ("panic-big", "trap", "the driver crashed in do-setup"),
    ("exit-one", "trap", "exit code 1"),
    ("grow-at-once", "memory-denied", "the limit is 67108864"),
    ("huge-text", "trap", "the driver crashed in describe"),
    ("dial-host", "denied", "storage.example"),
    ("dial-metadata", "denied", "169.254.169.254"),
];

/// Guests with a granted directory that fail while they are initialised, or say there how far they got.
const IN_A_DIRECTORY: &[(&str, &str, &str)] = &[
    ("leak-directories", "trap", "resource table"),
    ("open-many-files", "trap", "resource table"),
    ("escape-paths", "driver.failed", "0 of 17 ways out: none"),
    ("write-read-only", "driver.failed", "0 of 13 changes made: none"),
    (
        "put-nothing",
        "driver.corrupted",
        "the canary was put and is not there",
    ),
    ("alternate", "driver.unavailable", "check 1 fails on purpose"),
    ("third-try", "driver.unavailable", "check 1 fails on purpose"),
];

/// Guests that try to reach a listener of this test.
const ON_THE_NETWORK: &[(&str, &str, &str)] = &[
    ("dial-loopback", "denied", "127.0.0.1"),
    ("raw-sockets", "driver.failed", "0 of 5 doors open: none"),
];

/// Guests that are initialised well and misbehave in other calls, or are told apart in tests of their own below.
const LATER: &[&str] = &[
    "good",
    "spin-in-describe",
    "spin-in-probe",
    "fail-second-setup",
    "flood-stdout",
    "flood-log",
    "short-put",
    "body-ignored-put",
    "lying-get",
    "get-forever",
    "huge-list",
    "endless-pages",
    "sleep-in-probe",
    "spin-in-put",
    "spin-in-get",
    "trap-in-put",
    "fill-disk",
    "put-nothing-quietly",
    "slow-setup",
    "compute-setup",
    "list-partial",
    "short-get",
    "long-get",
    "wrong-get",
    "probe-dies",
];

#[test]
fn every_hostile_guest_has_a_test() {
    let folder = drivers().join("hostile");
    let mut found: Vec<String> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}; run ./dev test", folder.display()))
        .filter_map(|entry| {
            entry
                .unwrap()
                .file_name()
                .to_str()?
                .strip_suffix(".wasm")
                .map(str::to_owned)
        })
        .collect();
    let mut tested: Vec<String> = AT_SETUP
        .iter()
        .chain(IN_A_DIRECTORY)
        .chain(ON_THE_NETWORK)
        .map(|row| row.0)
        .chain(LATER.iter().copied())
        .map(String::from)
        .collect();
    found.sort();
    tested.sort();
    assert_eq!(found, tested);
}

/// Instantiation, `do-setup` and check under one budget, as `init_host` does it.
async fn initialize(test: &TestSandbox, name: &str, limit: Duration, fuel: u64) -> Result<Instance, Failure> {
    // Compiling is not charged to the budget; while it is held, the driver is not loaded anew.
    let _loaded = test.load(&hostile(name)).await?;
    initialize_with(test, name, &Budget::new(limit, fuel), &[]).await
}

/// The same with settings; the test's own folder is granted, for reading only to the guest that tries to write.
async fn initialize_with(
    test: &TestSandbox,
    name: &str,
    budget: &Budget,
    settings: &[(&str, SettingValue)],
) -> Result<Instance, Failure> {
    let driver = test.load(&hostile(name)).await?;
    let limits = std::sync::Arc::new(test.limits.clone());
    let info = test.sandbox.describe(&driver, "test", &limits, budget).await?;
    let settings = settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    let grants = Grants {
        directories: vec![DirectoryGrant {
            path: test.folder().to_owned(),
            write: name != "write-read-only",
        }],
    };
    let provision = provide(&info, &settings.collect(), &grants)?;
    let instance = test
        .sandbox
        .open(&driver, "test", &provision, &limits, budget)
        .await?;
    instance.do_setup(&provision.settings, budget).await?;
    instance.check_for_setup_error(budget).await?;
    instance.create_container("c").await?;
    Ok(instance)
}

/// A folder for one guest: `granted` inside it, with what the guests look for, and a secret beside it.
fn prepare(test: &TestSandbox, name: &str) -> (std::path::PathBuf, SettingValue) {
    let around = test.folder().join(name);
    let granted = around.join("granted");
    std::fs::create_dir_all(&granted).unwrap();
    std::fs::write(around.join("secret"), "not for guests").unwrap();
    std::fs::write(granted.join("kept"), "as it was").unwrap();
    std::os::unix::fs::symlink(&around, granted.join("link")).unwrap();
    let path = SettingValue::Text(granted.to_string_lossy().into_owned());
    (around, path)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_guest_gets_out_of_its_directory_or_past_its_handles() {
    let test = TestSandbox::start().await;
    for (name, code, words) in IN_A_DIRECTORY {
        let (around, path) = prepare(&test, name);
        let budget = Budget::new(Duration::from_secs(60), PLENTY);
        let begin = Instant::now();
        let failure = initialize_with(&test, name, &budget, &[("hostile_path", path)])
            .await
            .unwrap_err();
        assert_eq!(failure.code(), *code, "{name}: {failure:?}");
        assert!(failure.to_string().contains(words), "{name}: {failure}");
        let mut outside: Vec<_> = std::fs::read_dir(&around)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        outside.sort();
        assert_eq!(outside, ["granted", "secret"], "{name} made something outside");
        assert_eq!(
            std::fs::read_to_string(around.join("secret")).unwrap(),
            "not for guests"
        );
        assert_eq!(
            std::fs::read_to_string(around.join("granted/kept")).unwrap(),
            "as it was"
        );
        report(name, begin, &failure);
    }
    wait_for_threads(&test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_guest_reaches_a_listener_on_this_machine() {
    let test = TestSandbox::start().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = SettingValue::Integer(listener.local_addr().unwrap().port().into());
    for (name, code, words) in ON_THE_NETWORK {
        let budget = Budget::new(Duration::from_secs(20), PLENTY);
        let begin = Instant::now();
        let failure = initialize_with(&test, name, &budget, &[("hostile_port", port.clone())])
            .await
            .unwrap_err();
        assert_eq!(failure.code(), *code, "{name}: {failure:?}");
        assert!(failure.to_string().contains(words), "{name}: {failure}");
        report(name, begin, &failure);
    }
    assert_eq!(
        listener.accept().unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock,
        "0 connections"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_fails_now_and_then_fails_just_as_often_as_it_says() {
    let test = TestSandbox::start().await;
    for (name, outcomes) in [
        ("alternate", [false, true, false, true, false, true]),
        ("third-try", [false, false, true, true, true, true]),
    ] {
        let (_, path) = prepare(&test, name);
        for (number, works) in outcomes.into_iter().enumerate() {
            let budget = Budget::new(Duration::from_secs(20), PLENTY);
            let made = initialize_with(&test, name, &budget, &[("hostile_path", path.clone())]).await;
            assert_eq!(made.is_ok(), works, "{name}, try {number}: {made:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_takes_most_of_its_deadline_or_computes_honestly_is_let() {
    let test = TestSandbox::start().await;
    // Compiling is not charged to the deadline.
    let _loaded = test.load(&hostile("slow-setup")).await.unwrap();
    let budget = Budget::new(Duration::from_secs(2), PLENTY);
    let wait = ("hostile_wait", SettingValue::Text("1800ms".into()));
    initialize_with(&test, "slow-setup", &budget, &[wait])
        .await
        .unwrap();
    let budget = Budget::new(Duration::from_secs(60), PLENTY);
    let rounds = ("hostile_rounds", SettingValue::Integer(50_000_000));
    initialize_with(&test, "compute-setup", &budget, &[rounds])
        .await
        .unwrap();
    assert!(budget.used().fuel > 50_000_000, "{:?}", budget.used());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_initialisation_used_is_known() {
    let test = TestSandbox::start().await;
    for (name, code) in [
        ("spin-in-setup", "wall-timeout"),
        ("trap-in-setup", "trap"),
        ("grow-in-setup", "memory-denied"),
        ("endless-host-calls", "wall-timeout"),
    ] {
        let _loaded = test.load(&hostile(name)).await.unwrap();
        let budget = Budget::new(Duration::from_millis(500), PLENTY);
        let failure = initialize_with(&test, name, &budget, &[]).await.unwrap_err();
        assert_eq!(failure.code(), code, "{name}");
        let used = budget.used();
        let least = if code == "wall-timeout" { 1_000_000 } else { 100 };
        assert!(
            used.fuel >= least && used.peak_memory >= 1 << 20,
            "{name}: {used:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_or_get_that_computes_for_ever_or_crashes_ends_the_instance() {
    let mut test = TestSandbox::start().await;
    test.limits.stall_timeout = Duration::from_millis(300);
    for (name, code) in [("spin-in-put", "wall-timeout"), ("trap-in-put", "trap")] {
        let (_, path) = prepare(&test, name);
        let budget = Budget::new(Duration::from_secs(5), PLENTY);
        let instance = initialize_with(&test, name, &budget, &[("hostile_path", path)])
            .await
            .unwrap();
        let (writer, reader) = stream::channel(4);
        let feeding = tokio::spawn(async move {
            for _ in 0..64 {
                if writer.write(Bytes::from(vec![7; 1 << 16])).await.is_err() {
                    return;
                }
            }
            let _ = writer.finish().await;
        });
        let info = BodyInfo {
            size: None,
            md5: None,
            sha256: None,
            crc32c: None,
        };
        let failure = instance.put_object(address("o"), reader, info).await.unwrap_err();
        assert_eq!(failure.code(), code, "{name}: {failure}");
        assert!(!instance.is_alive(), "{name}");
        feeding.await.unwrap();
    }
    let (_, path) = prepare(&test, "spin-in-get");
    let budget = Budget::new(Duration::from_secs(5), PLENTY);
    let instance = initialize_with(&test, "spin-in-get", &budget, &[("hostile_path", path)])
        .await
        .unwrap();
    put(&instance, "o", b"some bytes").await;
    let (writer, mut reader) = stream::channel(4);
    let (result, read) = tokio::join!(instance.get_object(address("o"), None, writer), async {
        loop {
            match reader.next().await {
                Ok(Some(_)) => {}
                other => return other,
            }
        }
    });
    assert_eq!(result.unwrap_err().code(), "wall-timeout");
    assert!(read.is_err(), "the stream must break, not end");
    wait_for_threads(&test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_sleeps_or_whose_storage_is_gone_fails() {
    let test = TestSandbox::start().await;
    let instance = initialize(&test, "sleep-in-probe", Duration::from_secs(5), PLENTY)
        .await
        .unwrap();
    let budget = Budget::new(Duration::from_millis(100), PLENTY);
    assert_eq!(instance.probe(&budget).await.unwrap_err().code(), "wall-timeout");
    let (around, path) = prepare(&test, "probe-dies");
    let budget = Budget::new(Duration::from_secs(5), PLENTY);
    let instance = initialize_with(&test, "probe-dies", &budget, &[("hostile_path", path)])
        .await
        .unwrap();
    std::fs::write(around.join("granted/alive"), "").unwrap();
    instance.probe(&budget).await.unwrap();
    std::fs::remove_file(around.join("granted/alive")).unwrap();
    assert_eq!(
        instance.probe(&budget).await.unwrap_err().code(),
        "driver.unavailable"
    );
}

/// One guest's line: how long it was let, compiling included, and what came of it.
fn report(name: &str, begin: Instant, failure: &Failure) {
    let words: String = failure.to_string().chars().take(100).collect();
    println!(
        "{name:24} {:8.1} ms  {:20} {words}",
        begin.elapsed().as_secs_f64() * 1e3,
        failure.code()
    );
}

fn address(name: &str) -> ObjectAddress {
    ObjectAddress {
        container: "c".into(),
        name: name.into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_guest_that_fails_at_setup_gets_its_own_code_and_disturbs_nobody() {
    let test = TestSandbox::start().await;
    let neighbour = initialize(&test, "good", Duration::from_secs(10), PLENTY)
        .await
        .unwrap();
    let mut worst = Duration::ZERO;
    for (name, code, words) in AT_SETUP {
        // Only the clock ends those that never return; the others must be found out before it.
        let limit = Duration::from_millis(if *code == "wall-timeout" { 300 } else { 30_000 });
        let begin = Instant::now();
        let failure = initialize(&test, name, limit, PLENTY).await.unwrap_err();
        report(name, begin, &failure);
        assert_eq!(failure.code(), *code, "{name}: {failure:?}");
        assert!(failure.to_string().contains(words), "{name}: {failure}");
        assert!(!failure.remedy().is_empty(), "{name}");
        let begin = Instant::now();
        neighbour
            .probe(&Budget::new(Duration::from_secs(5), PLENTY))
            .await
            .unwrap();
        worst = worst.max(begin.elapsed());
    }
    println!(
        "{} guests, 0 disturbed neighbours, worst probe {worst:?}",
        AT_SETUP.len()
    );
    wait_for_threads(&test).await;
}

async fn wait_for_threads(test: &TestSandbox) {
    let begin = Instant::now();
    while test.sandbox.threads_ending() > 0 {
        assert!(
            begin.elapsed() < Duration::from_secs(5),
            "{} threads do not end",
            test.sandbox.threads_ending()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spinning_guest_runs_out_of_fuel_when_that_comes_first() {
    let test = TestSandbox::start().await;
    for (name, phase) in [
        ("spin-in-setup", "do-setup"),
        ("spin-in-start", "instantiate"),
        ("spin-in-describe", "describe"),
    ] {
        let failure = initialize(&test, name, Duration::from_secs(60), 50_000_000)
            .await
            .unwrap_err();
        assert_eq!(failure.code(), "out-of-fuel", "{name}");
        assert!(failure.to_string().starts_with(phase), "{failure}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_call_ends_the_instance_and_an_error_of_the_driver_does_not() {
    let test = TestSandbox::start().await;
    let instance = initialize(&test, "spin-in-probe", Duration::from_secs(5), PLENTY)
        .await
        .unwrap();
    let failure = instance
        .probe(&Budget::new(Duration::from_millis(100), PLENTY))
        .await
        .unwrap_err();
    assert_eq!(failure.code(), "wall-timeout");
    assert!(!instance.is_alive());
    assert_eq!(
        instance
            .probe(&Budget::new(Duration::from_secs(1), PLENTY))
            .await
            .unwrap_err()
            .code(),
        "host"
    );

    let instance = initialize(&test, "fail-second-setup", Duration::from_secs(5), PLENTY)
        .await
        .unwrap();
    let budget = Budget::new(Duration::from_secs(5), PLENTY);
    assert!(
        instance
            .do_setup(&[], &budget)
            .await
            .unwrap_err()
            .code()
            .starts_with("driver.")
    );
    assert!(instance.is_alive());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_ends_the_instance() {
    let test = TestSandbox::start().await;
    let instance = initialize(&test, "spin-in-probe", Duration::from_secs(5), PLENTY)
        .await
        .unwrap();
    let budget = Budget::new(Duration::from_secs(60), PLENTY);
    let call = instance.probe(&budget);
    assert!(
        tokio::time::timeout(Duration::from_millis(50), call)
            .await
            .is_err()
    );
    assert!(!instance.is_alive());
    wait_for_threads(&test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_output_are_bounded() {
    let test = TestSandbox::start().await;
    for name in ["flood-stdout", "flood-log"] {
        // Whether the guest floods for ever or for a while, the host's memory is bounded and the clock holds.
        let _ = initialize(&test, name, Duration::from_millis(500), PLENTY).await;
    }
    wait_for_threads(&test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_that_did_not_read_its_whole_body_is_a_failure() {
    let test = TestSandbox::start().await;
    for name in ["short-put", "body-ignored-put"] {
        let instance = initialize(&test, name, Duration::from_secs(5), PLENTY)
            .await
            .unwrap();
        let (writer, reader) = stream::channel(4);
        let feeding = tokio::spawn(async move {
            for _ in 0..64 {
                if writer.write(Bytes::from(vec![7; 1 << 16])).await.is_err() {
                    return;
                }
            }
            let _ = writer.finish().await;
        });
        let info = BodyInfo {
            size: None,
            md5: None,
            sha256: None,
            crc32c: None,
        };
        let failure = instance.put_object(address("o"), reader, info).await.unwrap_err();
        assert_eq!(failure.code(), "driver.failed", "{name}: {failure}");
        assert!(
            failure.to_string().contains("not read to its end"),
            "{name}: {failure}"
        );
        feeding.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_that_lies_about_its_length_breaks_the_stream() {
    let test = TestSandbox::start().await;
    let instance = initialize(&test, "lying-get", Duration::from_secs(5), PLENTY)
        .await
        .unwrap();
    put(&instance, "o", b"some bytes").await;
    let (writer, mut reader) = stream::channel(4);
    let (result, read) = tokio::join!(instance.get_object(address("o"), None, writer), async {
        loop {
            match reader.next().await {
                Ok(Some(_)) => {}
                other => return other,
            }
        }
    });
    assert!(
        result.unwrap_err().to_string().contains("it said that it wrote"),
        "the lie is named"
    );
    assert!(read.is_err(), "the stream must break, not end");
}

async fn put(instance: &Instance, name: &str, bytes: &'static [u8]) {
    let (writer, reader) = stream::channel(4);
    let info = BodyInfo {
        size: None,
        md5: None,
        sha256: None,
        crc32c: None,
    };
    let (stored, ()) = tokio::join!(instance.put_object(address(name), reader, info), async {
        writer.write(Bytes::from_static(bytes)).await.unwrap();
        writer.finish().await.unwrap();
    });
    stored.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_without_end_stops_when_nobody_reads() {
    let mut test = TestSandbox::start().await;
    test.limits.stall_timeout = Duration::from_millis(300);
    let instance = initialize(&test, "get-forever", Duration::from_secs(5), PLENTY)
        .await
        .unwrap();
    put(&instance, "o", b"x").await;
    let (writer, mut reader) = stream::channel(2);
    let mut read = 0_usize;
    let reading = async {
        while read < 8 << 20 {
            read += reader.next().await.unwrap().unwrap().len();
        }
        drop(reader);
    };
    let (result, ()) = tokio::join!(instance.get_object(address("o"), None, writer), reading);
    assert!(result.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_over_the_limit_is_refused_whatever_its_size() {
    let mut test = TestSandbox::start().await;
    for (room, code) in [(8 << 20, "trap"), (1 << 30, "driver.failed")] {
        // With little room the bound on one call's host memory ends it; with much the page is counted.
        (test.limits.hostcall_bytes, test.limits.memory) = (room, 512 << 20);
        let instance = initialize(&test, "huge-list", Duration::from_secs(30), PLENTY)
            .await
            .unwrap();
        let failure = instance.list_objects("c", "p", None, 1000).await.unwrap_err();
        assert_eq!(failure.code(), code, "{failure}");
    }
}
