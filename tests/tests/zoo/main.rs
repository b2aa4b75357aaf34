//! The zoo: every hostile guest, one row and one asserted outcome each, beside a healthy neighbour that is watched
//! all the time.
//!
//! `./dev zoo` prints a line per guest: what came of it, after what time (without compiling, which is bounded by
//! itself), and the slowest probe of the neighbour meanwhile. A guest without a row fails the first test. One that
//! comes to another end than its row says fails the second, after all others had their turn.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod guests;
mod made;
mod neighbour;
mod sandboxed;
mod served;

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use cofferdam_sandbox::Failure;
use cofferdam_tests::guests::wait_for_threads;
use cofferdam_tests::{TestSandbox, drivers, hostile};
use futures::FutureExt;
use futures::future::LocalBoxFuture;

use crate::guests::GUESTS;
use crate::neighbour::Neighbour;

/// One guest, what it must come to, and how it is brought there.
pub(crate) struct Guest {
    pub(crate) name: &'static str,
    /// The failure's code, or `ok`.
    pub(crate) code: &'static str,
    /// Words of the failure's message, or of what was seen.
    pub(crate) words: &'static str,
    pub(crate) visit: for<'a> fn(&'a Zoo, &'a Guest) -> LocalBoxFuture<'a, Outcome>,
    /// Its bytes, when it is made here and not built from `guest-drivers/hostile`.
    pub(crate) made: Option<fn() -> Vec<u8>>,
}

/// What a guest came to.
pub(crate) struct Outcome {
    pub(crate) code: String,
    pub(crate) words: String,
    pub(crate) took: Duration,
    /// The limit that ended it, if one of time did.
    pub(crate) limit: Option<Duration>,
}

impl Outcome {
    /// What a call came to that began then.
    pub(crate) fn of<T>(began: Instant, result: Result<T, Failure>) -> Self {
        let took = began.elapsed();
        match result {
            Ok(_) => Outcome::new("ok", "", took),
            Err(failure) => {
                assert!(!failure.remedy().is_empty(), "{failure}");
                let limit = match failure {
                    Failure::WallTimeout { limit, .. }
                    | Failure::CompileTimeout { limit }
                    | Failure::Stalled { span: limit, .. } => Some(limit),
                    _ => None,
                };
                Outcome {
                    limit,
                    ..Outcome::new(failure.code(), &failure.to_string(), took)
                }
            }
        }
    }

    pub(crate) fn new(code: &str, words: &str, took: Duration) -> Self {
        Outcome {
            code: code.into(),
            words: words.into(),
            took,
            limit: None,
        }
    }
}

/// What the visits share.
pub(crate) struct Zoo {
    pub(crate) test: TestSandbox,
}

impl Zoo {
    /// The guest's component.
    pub(crate) fn file(&self, guest: &Guest) -> PathBuf {
        let Some(make) = guest.made else {
            return hostile(guest.name);
        };
        let file = self.test.folder().join(format!("{}.wasm", guest.name));
        std::fs::write(&file, make()).unwrap();
        file
    }
}

#[test]
fn every_hostile_guest_has_a_row() {
    let folder = drivers().join("hostile");
    let entries = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}; run ./dev test", folder.display()));
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        let name = entry.unwrap().file_name();
        name.to_str()?.strip_suffix(".wasm").map(str::to_owned)
    };
    let mut found: Vec<String> = entries.filter_map(name).collect();
    let built = GUESTS.iter().filter(|guest| guest.made.is_none());
    let mut rows: Vec<String> = built.map(|guest| guest.name.to_owned()).collect();
    found.sort();
    rows.sort();
    assert_eq!(found, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_guest_comes_to_the_end_that_its_row_says_and_disturbs_nobody() {
    // The guests that grow are made for this limit.
    let test = TestSandbox::start().await.with(|limits| limits.memory = 64 << 20);
    let zoo = Zoo { test };
    let mut neighbour = Neighbour::move_in(&zoo.test).await;
    let (mut wrong, mut probes, mut lost, mut worst) = (Vec::new(), 0, 0, Duration::ZERO);
    for guest in GUESTS {
        let visit = async {
            let outcome = (guest.visit)(&zoo, guest).await;
            assert_eq!(outcome.code, guest.code, "{}", outcome.words);
            assert!(outcome.words.contains(guest.words), "{}", outcome.words);
            wait_for_threads(&zoo.test).await;
            outcome
        };
        let outcome = AssertUnwindSafe(visit).catch_unwind().await;
        let seen = neighbour.look().await;
        (probes, lost, worst) = (probes + seen.probes, lost + seen.lost, worst.max(seen.worst));
        match outcome {
            Ok(outcome) => println!("{}", line(guest, &outcome, seen.worst)),
            Err(_) => {
                println!("{:22} FAILED, see above", guest.name);
                wrong.push(guest.name);
            }
        }
    }
    println!(
        "{} guests, {} as their row says; neighbour probed {probes} times, {lost} lost, slowest {:.1} ms",
        GUESTS.len(),
        GUESTS.len() - wrong.len(),
        milliseconds(worst)
    );
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(lost, 0, "the neighbour was disturbed");
}

fn line(guest: &Guest, outcome: &Outcome, neighbour: Duration) -> String {
    let took = match outcome.limit {
        Some(limit) => format!(
            "{} + {:.1} ms",
            limit.as_millis(),
            milliseconds(outcome.took) - milliseconds(limit)
        ),
        None => format!("{:.1} ms", milliseconds(outcome.took)),
    };
    let words: String = outcome.words.chars().take(90).collect();
    format!(
        "{:22} {took:>15}  {:20} neighbour {:4.1} ms  {}",
        guest.name,
        outcome.code,
        milliseconds(neighbour),
        words.replace('\n', " ")
    )
}

fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}
