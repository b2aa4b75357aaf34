//! A thousand backends on whatever processors there are, half of which hang, in every phase, computing and sleeping:
//! the promises of one backend hold for each of them, and those that work do not notice.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "tests; the figures are part of what they show"
)]

use std::time::Duration;

use cofferdam_tests::fleet::{Fleet, INTERVAL};
use cofferdam_tests::service::Service;
use serde_json::Value;

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

#[test]
fn a_driver_that_computes_honestly_gets_its_share_among_those_that_do_it_for_ever() {
    const ENDLESS: usize = 9;
    let backend = |name: &str, rounds: u64| {
        format!(
            "[backends.{name}]\nbackup_driver = \"{{drivers}}/hostile/compute-setup.wasm\"\n\
             hostile_rounds = {rounds}\nbackup_periodic_initialization = false\n"
        )
    };
    // The same code in all of them, so that a unit of fuel takes each the same time.
    let honest = backend("honest", 400_000_000);
    let crowd: String = (0..ENDLESS)
        .map(|number| backend(&format!("endless{number}"), 1 << 60))
        .collect();
    let top = "backup_initialization_timeout = \"20s\"\nbackup_initialization_fuel = 1_000_000_000_000_000";
    let mut service = Service::configure(top, &honest);
    // The first time it is compiled.
    let took = [honest.clone(), honest.clone(), crowd + &honest].map(|sections| {
        service.rewrite(top, &sections);
        service.start();
        let up = service.wait("honest", Duration::from_secs(20), |status| {
            status["state"] == "up"
        });
        let all = service.get("/v1/services");
        let ended = |status: &&Value| status["phase"] == "down";
        let ended = all.as_array().expect("a list").iter().filter(ended).count();
        assert_eq!(ended, 0, "the others compute on");
        service.kill();
        up["initialization_ms"].as_f64().expect("a time")
    });
    let [_, alone, crowded] = took;
    println!(
        "computing for {alone:.0} ms took {crowded:.0} ms among {ENDLESS} that compute for ever: {:.2} of a fair share",
        alone * (ENDLESS + 1) as f64 / crowded
    );
}
