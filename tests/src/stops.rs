//! A storage that goes away and comes back, again and again, under a running service: is it ever called up while it is away, and
//! does it ever stay down?
//!
//! Each round stops a real Swift, by turns cleanly and by `kill -9`, at a moment by chance, looks at both of its backends until they
//! are down and for a while longer, starts it again, and waits until they are up. In the end a backup by each driver goes there and
//! comes back. Seeded; cost: about nine seconds a round, most of them Swift's.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::servers::Swift;
use crate::service::Service;

const BACKENDS: [&str; 2] = ["s3", "swift"];

/// Looks twice a second, and takes one failure for the end.
const OFTEN: &str = "periodic_interval = \"500ms\"\nreport_interval = \"500ms\"\nbackup_initialization_timeout = \"20s\"\n\
                     failure_threshold = 1\nbackup_probe_timeout = \"5s\"";

/// Longest time until a storage that is away must read down: interval and probe's deadline, and as much again for a slow machine.
const DETECTED: Duration = Duration::from_secs(11);

/// After so long a backend that is not up again is stuck.
const MENDED: Duration = Duration::from_secs(60);

/// Longest spans by chance: before a stop, and of looking on while the storage is away.
const SPAN_MS: u64 = 1500;

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Stops {
    /// Stops of the storage.
    pub count: u64,
    /// Backends that were not up again.
    pub stuck: u64,
    /// Backends that read up while the storage was away: past the time for detecting it, or after having been down.
    pub false_ups: u64,
    /// Longest time until both were down.
    pub slowest_down: Duration,
    /// Longest time until both were up again.
    pub slowest_up: Duration,
}

impl std::fmt::Display for Stops {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} stops, {} stuck, {} false up (down after at most {:.1} s, up again after at most {:.1} s)",
            self.count,
            self.stuck,
            self.false_ups,
            self.slowest_down.as_secs_f64(),
            self.slowest_up.as_secs_f64()
        )
    }
}

/// Stops and starts a Swift so many times; `None` when this machine cannot have one.
///
/// # Panics
/// When server or service do not start, or a backup fails in the end.
pub fn stops(count: u64, seed: u64) -> Option<Stops> {
    let mut swift = Swift::start(23800)?;
    let mut chance = fastrand::Rng::with_seed(seed);
    let key = format!("{:?}", swift.value("key"));
    let mut service = Service::configure(OFTEN, &swift.sections([&key, &key], ["", ""]));
    service.start();
    let mut seen = Stops::default();
    seen.stuck += u64::from(!wait_until_up(&service));
    for round in 0..count {
        std::thread::sleep(Duration::from_millis(chance.u64(..SPAN_MS)));
        match round % 2 {
            0 => swift.stop(),
            _ => swift.kill(),
        }
        seen.count += 1;
        look_on(&service, &mut seen, Duration::from_millis(chance.u64(..SPAN_MS)));
        assert!(swift.start_again(), "what ran before runs again");
        let begin = Instant::now();
        seen.stuck += u64::from(!wait_until_up(&service));
        seen.slowest_up = seen.slowest_up.max(begin.elapsed());
    }
    for backend in BACKENDS {
        round_trip(&service, backend);
    }
    service.stop();
    Some(seen)
}

/// Looks at both backends while the storage is away: until they are down, and so much longer.
fn look_on(service: &Service, seen: &mut Stops, longer: Duration) {
    let begin = Instant::now();
    let mut down_since = None;
    let mut lied = [false; BACKENDS.len()];
    loop {
        let up = are_up(service);
        if !up.contains(&true) && down_since.is_none() {
            seen.slowest_down = seen.slowest_down.max(begin.elapsed());
            down_since = Some(Instant::now());
        }
        if down_since.is_some() || begin.elapsed() > DETECTED {
            for (lied, up) in lied.iter_mut().zip(up) {
                *lied |= up;
            }
        }
        let since = down_since.unwrap_or(begin + DETECTED);
        if Instant::now().saturating_duration_since(since) > longer {
            seen.false_ups += lied.iter().filter(|lied| **lied).count() as u64;
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn are_up(service: &Service) -> [bool; BACKENDS.len()] {
    let all = service.get("/v1/services");
    let all = all.as_array().expect("a list of services");
    let is_up = |status: &Value, backend: &str| status["name"] == backend && status["state"] == "up";
    BACKENDS.map(|backend| all.iter().any(|status| is_up(status, backend)))
}

fn wait_until_up(service: &Service) -> bool {
    let begin = Instant::now();
    while are_up(service).contains(&false) {
        if begin.elapsed() > MENDED {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

/// A backup goes there and comes back.
fn round_trip(service: &Service, backend: &str) {
    let (volume, target) = (service.path("volume"), service.path(backend));
    let mut bytes = vec![0; 5 << 20];
    fastrand::Rng::with_seed(5).fill(&mut bytes);
    std::fs::write(&volume, &bytes).expect("the volume is written");
    let body = json!({ "volume": volume, "backend": backend });
    let (backup, _) = service.operate("/v1/backups", &body);
    let body = json!({ "target": target });
    service.operate(&format!("/v1/backups/{backup}/restore"), &body);
    let restored = std::fs::read(&target).expect("the target is read");
    assert!(restored == bytes, "{backend}: it came back otherwise");
}
