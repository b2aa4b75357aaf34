//! A service killed in the middle of backups, restores and deletes loses nothing. `./dev torture` does it 300 times.

#![allow(clippy::print_stdout, reason = "the figures are part of what the test shows")]

use cofferdam_tests::torture::torture;

#[test]
fn a_service_killed_in_the_middle_of_its_work_loses_nothing() {
    let seen = torture(20, 11);
    println!("{seen}");
    assert_eq!(
        (seen.lost, seen.orphans, seen.stuck, seen.torn),
        (0, 0, 0, 0),
        "{seen:?}"
    );
}
