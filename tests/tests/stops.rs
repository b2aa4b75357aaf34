//! A storage that is stopped and started under a running service is never called up while it is away, and never stays down. `./dev
//! torture` stops it 50 times.

#![allow(clippy::print_stdout, reason = "the figures are part of what the test shows")]

use cofferdam_tests::stops::stops;

#[test]
fn a_storage_that_goes_and_comes_is_never_stuck_and_never_falsely_up() {
    let Some(seen) = stops(6, 11) else { return };
    println!("{seen}");
    assert_eq!((seen.count, seen.stuck, seen.false_ups), (6, 0, 0), "{seen:?}");
}
