//! A fleet: many backends in one service, some of which hang in every phase, watched from outside.
//!
//! Shared by the test of scale, which asserts the promises, and by the bench, which prints the figures. How: the
//! service runs as users run it; its own view (`/v1/services`) and its line in `/proc` are read every
//! [`LOOK`]. What the service says of one initialisation (`initialization_ms`) is measured by it from the moment when
//! the initialisation's clock began to the moment when its outcome was known.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use crate::process::Usage;
use crate::service::Service;

/// How often the service is looked at.
pub const LOOK: Duration = Duration::from_millis(50);

/// How often a backend that works tells so, and how often it is probed.
pub const INTERVAL: Duration = Duration::from_secs(1);

/// Guests that never come back: each phase, computing and sleeping.
pub const HANGING: [&str; 8] = [
    "spin-in-start",
    "sleep-in-start",
    "spin-in-describe",
    "sleep-in-describe",
    "spin-in-setup",
    "sleep-in-setup",
    "spin-in-check",
    "sleep-in-check",
];

/// What is run.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// Backends of the posix driver.
    pub healthy: usize,
    /// Backends whose guests hang, the phases in turn.
    pub hanging: usize,
    /// The deadline of those that hang.
    pub deadline: Duration,
    /// Whether the whole process has one processor.
    pub pinned: bool,
}

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// How long each healthy initialisation took, sorted.
    pub healthy_ms: Vec<f64>,
    /// How long after the service listened the last healthy backend was seen up.
    pub all_up: Duration,
    /// How long after its deadline each hanging backend was declared down, by guest: the name and the worst.
    pub late_ms: Vec<(&'static str, f64)>,
    /// From the moment when the last hanging backend was seen down until no thread of theirs was left.
    pub threads_gone: Duration,
    /// The most that a heartbeat of a backend that is up was late.
    pub heartbeat_late: Duration,
    /// The most that a probe of a backend that is up was late.
    pub probe_late: Duration,
    /// The most memory and threads, and what was left at the end.
    pub most: Usage,
    /// The same at the end.
    pub last: Usage,
}

impl Seen {
    /// The middle of the healthy initialisations, in milliseconds.
    pub fn median_ms(&self) -> f64 {
        self.healthy_ms
            .get(self.healthy_ms.len() / 2)
            .copied()
            .unwrap_or_default()
    }

    /// The slowest of the healthy initialisations, in milliseconds.
    pub fn slowest_ms(&self) -> f64 {
        self.healthy_ms.last().copied().unwrap_or_default()
    }

    /// The most that a hanging backend was declared down after its deadline, in milliseconds.
    pub fn worst_late_ms(&self) -> f64 {
        self.late_ms.iter().map(|(_, late)| *late).fold(0.0, f64::max)
    }
}

impl Fleet {
    /// Runs it until every hanging backend is down and its threads are gone, or, without any, for three intervals.
    ///
    /// # Panics
    /// When a backend does what it must not: a hanging one that is up or fails with another code, a healthy one that
    /// goes down, or anything that takes a minute.
    pub fn run(&self) -> Seen {
        let memory = std::path::Path::new("/dev/shm");
        let storage = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        let storage = storage.expect("a temporary folder");
        let mut service =
            Service::configure(&self.options(), &self.sections(storage.path(), 1, HANGING.len()));
        // Compiling is bounded by itself and not what is measured here.
        service.start();
        service.wait_for_all(Duration::from_secs(60), |status| {
            status["initialization_ms"].is_number()
        });
        service.stop();
        service.rewrite(
            &self.options(),
            &self.sections(storage.path(), self.healthy, self.hanging),
        );
        if self.pinned {
            service.start_on_one_processor();
        } else {
            service.start();
        }
        let seen = self.watch(&service);
        service.stop();
        seen
    }

    fn options(&self) -> String {
        let interval = INTERVAL.as_millis();
        format!(
            "periodic_interval = \"{interval}ms\"\nreport_interval = \"{interval}ms\"\nservice_down_time = \"10s\"\n\
             backup_initialization_timeout = \"{}ms\"\nbackup_initialization_fuel = 1_000_000_000_000_000\n",
            self.deadline.as_millis()
        )
    }

    fn sections(&self, storage: &std::path::Path, healthy: usize, hanging: usize) -> String {
        let mut text = String::new();
        // The kinds take turns, so that each begins in the middle of the others.
        for number in 0..healthy.max(hanging) {
            if number < healthy {
                let path = storage.join(format!("{number}"));
                std::fs::create_dir_all(&path).expect("a folder in a temporary folder");
                text += &format!(
                    "[backends.healthy{number}]\nbackup_driver = \"posix\"\nbackup_posix_path = \"{0}\"\n\
                     grants.directories = [{{ path = \"{0}\", access = \"read-write\" }}]\n",
                    path.display()
                );
            }
            if number < hanging {
                text += &format!(
                    "[backends.hanging{number}]\nbackup_driver = \"{{drivers}}/hostile/{}.wasm\"\n\
                     backup_periodic_initialization = false\n",
                    guest(number)
                );
            }
        }
        text
    }

    fn watch(&self, service: &Service) -> Seen {
        let (begin, mut seen) = (Instant::now(), Seen::default());
        let (mut all_up, mut all_down, mut all_gone) = (None, None, None);
        loop {
            let now = Timestamp::now();
            let all = service.get("/v1/services");
            let all: &Vec<Value> = all.as_array().expect("a list of services");
            assert_eq!(all.len(), self.healthy + self.hanging);
            let (mut up, mut down) = (0, 0);
            for status in all {
                let name = status["name"].as_str().expect("a name");
                if name.starts_with("hanging") {
                    assert_eq!(status["state"], "down", "{status:#}");
                    assert!(
                        status["code"].is_null() || status["code"] == "wall-timeout",
                        "{status:#}"
                    );
                    down += usize::from(status["phase"] == "down");
                } else if status["state"] == "up" {
                    up += 1;
                    seen.heartbeat_late = seen.heartbeat_late.max(late(now, &[&status["heartbeat"]]));
                    let probe = late(now, &[&status["last_probe"], &status["last_success"]]);
                    seen.probe_late = seen.probe_late.max(probe);
                } else {
                    assert!(all_up.is_none() && status["code"].is_null(), "{status:#}");
                }
            }
            let usage = Usage::of(service.pid());
            seen.most = seen.most.most(usage);
            seen.last = usage;
            if up == self.healthy {
                all_up.get_or_insert_with(|| begin.elapsed());
            }
            if down == self.hanging {
                let down = *all_down.get_or_insert_with(Instant::now);
                let gone = all.iter().all(|status| status["threads_ending"] == 0);
                if gone && all_gone.is_none() {
                    all_gone = Some(down.elapsed());
                }
            }
            if let (Some(up), Some(gone)) = (all_up, all_gone)
                && begin.elapsed() > 3 * INTERVAL
            {
                (seen.all_up, seen.threads_gone) = (up, gone);
                self.take_times(all, &mut seen);
                return seen;
            }
            assert!(
                begin.elapsed() < self.deadline + Duration::from_secs(60),
                "{up} healthy backends are up, {down} hanging ones are down"
            );
            std::thread::sleep(LOOK);
        }
    }

    fn take_times(&self, all: &[Value], seen: &mut Seen) {
        let took = |status: &Value| status["initialization_ms"].as_f64().expect("a time");
        let of = |kind: &'static str| {
            all.iter()
                .filter(move |status| status["name"].as_str().is_some_and(|name| name.starts_with(kind)))
        };
        seen.healthy_ms = of("healthy").map(took).collect();
        seen.healthy_ms.sort_by(f64::total_cmp);
        let deadline = self.deadline.as_secs_f64() * 1e3;
        for (number, status) in of("hanging").enumerate() {
            let (name, late) = (guest(number), took(status) - deadline);
            match seen.late_ms.iter_mut().find(|(known, _)| *known == name) {
                Some((_, worst)) => *worst = worst.max(late),
                None => seen.late_ms.push((name, late)),
            }
        }
    }
}

fn guest(number: usize) -> &'static str {
    HANGING.get(number % HANGING.len()).copied().unwrap_or("good")
}

/// How much more than one interval has gone by since the newest of some times.
fn late(now: Timestamp, times: &[&Value]) -> Duration {
    let parse = |time: &&Value| time.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let newest = times.iter().filter_map(parse).max();
    let age = newest.map(|time| now.duration_since(time)).unwrap_or_default();
    Duration::try_from(age)
        .unwrap_or_default()
        .saturating_sub(INTERVAL)
}
