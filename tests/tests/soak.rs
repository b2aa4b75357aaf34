//! A service that initialises, fails and initialises again without a pause holds no more threads, files and memory at
//! the end than at the beginning. `./dev soak` does the same for half an hour.

#![allow(clippy::print_stdout, reason = "the figures are part of what the test shows")]

use std::time::Duration;

use cofferdam_tests::soak::soak;

/// What the allocator may keep of the greatest moment that it has seen.
const SLACK_KIB: u64 = 24 << 10;

#[test]
fn a_service_that_fails_and_recovers_all_the_time_does_not_grow() {
    let seen = soak(Duration::from_secs(25), 7);
    println!(
        "{} initialisations succeeded, {} failed, {} disturbances; at first {}, at last {}",
        seen.succeeded, seen.failed, seen.disturbances, seen.first, seen.last
    );
    assert!(seen.failed > 500, "{} tries failed", seen.failed);
    assert!(seen.last.threads <= seen.first.threads + 4, "{:?}", seen.looks);
    assert!(seen.last.files <= seen.first.files + 8, "{:?}", seen.looks);
    assert!(
        seen.last.rss_kib <= seen.first.rss_kib + SLACK_KIB,
        "{:?}",
        seen.looks
    );
}
