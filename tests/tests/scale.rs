//! A thousand backends on whatever processors there are, half of which hang, in every phase, computing and sleeping:
//! the promises of one backend hold for each of them, and those that work do not notice.

#![allow(clippy::print_stdout, reason = "the figures are part of what the test shows")]

use std::time::Duration;

use cofferdam_tests::fleet::{Fleet, INTERVAL};

#[test]
fn five_hundred_hanging_drivers_are_down_in_time_and_five_hundred_others_do_not_notice() {
    let idle = Fleet {
        healthy: 500,
        hanging: 0,
        deadline: Duration::from_secs(5),
        pinned: false,
    };
    let crowd = Fleet {
        hanging: 500,
        ..idle.clone()
    };
    let (alone, seen) = (idle.run(), crowd.run());
    println!(
        "{} hanging, declared down at most {:.1} ms after their deadline, threads gone {} ms after the last",
        crowd.hanging,
        seen.worst_late_ms(),
        seen.threads_gone.as_millis()
    );
    for (guest, late) in &seen.late_ms {
        println!("  {guest:20} {late:6.1} ms late at most");
    }
    println!(
        "{} healthy, all up after {} ms (alone {}); initialised in {:.2} ms at the median, {:.1} at most (alone {:.2}, {:.1})",
        crowd.healthy,
        seen.all_up.as_millis(),
        alone.all_up.as_millis(),
        seen.median_ms(),
        seen.slowest_ms(),
        alone.median_ms(),
        alone.slowest_ms()
    );
    println!(
        "heartbeats late at most {} ms, probes {} ms (alone {}, {})",
        seen.heartbeat_late.as_millis(),
        seen.probe_late.as_millis(),
        alone.heartbeat_late.as_millis(),
        alone.probe_late.as_millis()
    );
    println!(
        "most: {}; at the end: {}; alone: {}; {:.0} KiB for each that hangs",
        seen.most,
        seen.last,
        alone.most,
        seen.most.rss_kib.saturating_sub(alone.most.rss_kib) as f64 / crowd.hanging as f64
    );
    assert!(seen.worst_late_ms() <= 20.0);
    assert!(seen.threads_gone <= Duration::from_millis(500));
    assert!(seen.median_ms() <= 3.0 * alone.median_ms());
    assert!(seen.heartbeat_late <= INTERVAL && seen.probe_late <= INTERVAL);
}
