//! The promise in numbers, with the service pinned to one processor: a guest that spins in `do-setup` and one that
//! spins in its start code are declared down within the deadline + 20 ms, while a healthy backend goes on answering
//! its probes.
//!
//! The span is the service's own measurement of the initialisation (`initialization_ms`), from the moment it began to
//! the moment the backend was declared down. The check is a bound of the design, not a benchmark; the worst of
//! several rounds is printed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::time::Duration;

use cofferdam_tests::service::Service;

const LIMIT_MS: u64 = 400;

#[test]
fn spinning_drivers_are_down_within_the_deadline_and_20_ms_on_one_processor() {
    let backend = |name: &str, guest: &str| {
        format!(
            "[backends.{name}]\nbackup_driver = \"{{drivers}}/hostile/{guest}.wasm\"\n\
             backup_initialization_timeout = \"{LIMIT_MS}ms\"\nbackup_initialization_fuel = 1_000_000_000_000_000\n\
             periodic_interval = \"600ms\"\n"
        )
    };
    let mut service = Service::configure(
        "",
        &format!(
            "{}{}{}",
            backend("setup", "spin-in-setup"),
            backend("start", "spin-in-start"),
            "[backends.healthy]\nbackup_driver = \"posix\"\nbackup_posix_path = \"{folder}/backups\"\n\
             grants.directories = [{ path = \"{folder}/backups\", access = \"read-write\" }]\n\
             periodic_interval = \"100ms\"\nfailure_threshold = 1\nbackup_probe_timeout = \"2s\"\n",
        ),
    );
    std::fs::create_dir(service.backups()).unwrap();
    // Warm the compile cache, so that every round is an initialisation and nothing else.
    service.start();
    service.wait("start", Duration::from_secs(20), |status| {
        status["attempt"].as_u64().unwrap() >= 1 && !status["code"].is_null()
    });
    service.stop();

    service.start_on_one_processor();
    service.wait("healthy", Duration::from_secs(10), |status| {
        status["state"] == "up"
    });
    let mut worst = 0.0_f64;
    let mut rounds = 0;
    let (mut seen, mut probes) = (
        std::collections::BTreeSet::new(),
        std::collections::BTreeSet::new(),
    );
    while rounds < 10 {
        for name in ["setup", "start"] {
            let status = service.status(name);
            assert_eq!(status["state"], "down", "{status:#}");
            let attempt = status["attempt"].as_u64().unwrap();
            if attempt >= 1 && status["phase"] == "down" && seen.insert((name, attempt)) {
                assert_eq!(status["code"], "wall-timeout", "{status:#}");
                let took = status["initialization_ms"].as_f64().unwrap();
                assert!(
                    took <= (LIMIT_MS + 20) as f64,
                    "{name} was declared down after {took} ms, not {LIMIT_MS} + 20"
                );
                worst = worst.max(took);
                rounds += 1;
            }
        }
        let healthy = service.status("healthy");
        assert_eq!(healthy["state"], "up", "{healthy:#}");
        probes.insert(healthy["last_probe"].to_string());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(
        probes.len() >= 5,
        "the healthy backend was probed only {} times",
        probes.len()
    );
    println!(
        "{rounds} spins on one processor, worst {worst} ms of {LIMIT_MS} + 20; {} probes, 0 lost",
        probes.len()
    );
}
