//! Adds, replaces and removes that are killed at any moment: the driver is whole, the old one or the new, or not there; and what was
//! left is gone with the next change.
//!
//! This test binary starts itself again as the process that is killed. `COFFERDAM_DRIVER_KILLS` says how often (200). Cost: some
//! 40 ms a kill.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code"
)]

mod helpers;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use cofferdam_distribution::{Condition, Request, Sha256Digest, Source, Store, fetch};
use helpers::{Place, component, said};

const CHILD: &str = "COFFERDAM_TEST_CHILD_STORE";
const LENGTH: usize = 400_000;

/// What the killed process does, until it is: adds, replaces and removes one driver, and says each time that something lasts.
#[tokio::test]
async fn child() {
    let Ok(store) = std::env::var(CHILD) else { return };
    let store = Store::open(Path::new(&store)).unwrap();
    let folder = store.path().parent().unwrap().to_owned();
    for round in 0_usize.. {
        let number = round % 3;
        if number == 2 {
            store.remove("shelf", &[]).unwrap();
        } else {
            let source = Source::File(folder.join(format!("{number}.wasm")));
            let fetched = fetch(&store, &source, &Request::default(), &|_| {})
                .await
                .unwrap();
            fetched
                .install(&said("shelf", &number.to_string()), None, true)
                .unwrap();
        }
        // The test harness keeps standard output for itself.
        std::fs::write(folder.join("done"), format!("{number}\n")).unwrap();
    }
}

#[tokio::test]
async fn a_kill_at_any_point_leaves_a_whole_driver_or_none() {
    let kills: u32 = std::env::var("COFFERDAM_DRIVER_KILLS").map_or(200, |text| text.parse().unwrap());
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let place = Place::new();
    let contents = [component(0, LENGTH), component(1, LENGTH)];
    for (number, bytes) in contents.iter().enumerate() {
        place.file(&format!("{number}.wasm"), bytes);
    }
    let digests = contents.map(|bytes| Sha256Digest::of(&bytes));
    let (mut found, mut left) = ([0; 3], 0);
    for kill in 0..kills {
        let done = place.path("done");
        // Not there the first time.
        let _ = std::fs::remove_file(&done);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--test-threads=1"])
            .env(CHILD, place.store.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while !done.exists() {
            assert!(child.try_wait().unwrap().is_none(), "the child ended by itself");
            std::thread::sleep(Duration::from_micros(200));
        }
        std::thread::sleep(Duration::from_micros(random.u64(..30_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        left += usize::from(place.entries().iter().any(|name| name.starts_with('.')));
        let listed = place.store.list().unwrap();
        let state = match listed.as_slice() {
            [] => 2,
            [one] => {
                let Condition::Whole(digest) = &one.condition else {
                    panic!("seed {seed}, kill {kill}: {one:?}");
                };
                let state = digests.iter().position(|known| known == digest).unwrap();
                let manifest = one.installed.as_ref().unwrap().manifest.as_ref().unwrap();
                assert_eq!(manifest.version, state.to_string(), "seed {seed}, kill {kill}");
                state
            }
            several => panic!("seed {seed}, kill {kill}: {several:?}"),
        };
        found[state] += 1;
        // For the next child, which begins with an add, anything may be there; what was left goes with its first change.
    }
    eprintln!("{kills} kills: {found:?} with the first, the second, none; {left} with something hidden left");
    let source = place.path("0.wasm");
    place.add(&source, &said("shelf", "0"), true).await.unwrap();
    assert_eq!(place.entries(), ["shelf"]);
    assert!(
        found.iter().all(|count| *count > 0) && left > 0,
        "seed {seed}: the kills missed: {found:?}, {left}"
    );
}

#[test]
fn a_reader_never_sees_half_of_an_exchange() {
    let place = Place::new();
    let contents = [component(0, LENGTH), component(1, LENGTH)];
    for (number, bytes) in contents.iter().enumerate() {
        place.file(&format!("{number}.wasm"), bytes);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime
        .block_on(place.add(&place.path("0.wasm"), &said("shelf", "0"), false))
        .unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let (reads, replaces) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let listed = place.store.list().unwrap();
                assert!(
                    matches!(&listed[..], [one] if matches!(one.condition, Condition::Whole(_))),
                    "{listed:?}"
                );
                reads += 1;
            }
            reads
        });
        let mut replaces = 0;
        while replaces < 300 && !reader.is_finished() {
            let number = (replaces + 1) % 2;
            let source = place.path(&format!("{number}.wasm"));
            runtime
                .block_on(place.add(&source, &said("shelf", &number.to_string()), true))
                .unwrap();
            replaces += 1;
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        (reader.join().unwrap(), replaces)
    });
    eprintln!("{reads} reads beside {replaces} exchanges");
    assert!(reads > 20);
}
