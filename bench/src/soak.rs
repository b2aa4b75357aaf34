//! `soak`: half an hour of failures and repairs; prints what the process held, minute by minute.

use std::time::Duration;

use cofferdam_tests::soak::soak;

/// Runs it for so many minutes, by chance from a seed.
pub(crate) fn run(minutes: u64, seed: u64) {
    println!("{minutes} minutes, seed {seed}");
    let seen = soak(Duration::from_secs(60 * minutes), seed);
    for (minute, look) in seen.looks.iter().step_by(600).enumerate() {
        println!("minute {minute:3}: {look}");
    }
    println!(
        "{} initialisations succeeded, {} failed, {} disturbances",
        seen.succeeded, seen.failed, seen.disturbances
    );
    println!("at first {}\nat last  {}", seen.first, seen.last);
}
