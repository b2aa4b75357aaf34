//! A service that initialises, fails and initialises again without a pause: does it grow?
//!
//! How: backends that fail in every way there is, each tried again every [`INTERVAL`], beside healthy ones whose storage
//! is taken away and given back, and which are told to initialise anew, by chance from a seed. Ten times a second the
//! process's threads, files and memory are read. All three come and go with every try, so what is compared, between the first and the
//! last fifth after a warm-up, is the lower quartile of many looks: the least of them is one lucky moment's.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::Usage;
use crate::service::Service;

/// How often a backend is tried again or probed.
pub const INTERVAL: Duration = Duration::from_millis(200);

/// The deadline of those that hang.
const DEADLINE: Duration = Duration::from_millis(100);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// Not measured: caches and pools fill.
const WARM_UP: Duration = Duration::from_secs(5);

/// Backends of the posix driver.
const HEALTHY: usize = 4;

/// Guests that fail in different ways.
const FAILING: [&str; 14] = [
    "spin-in-start",
    "spin-in-setup",
    "spin-in-check",
    "sleep-in-setup",
    "sleep-in-describe",
    "endless-host-calls",
    "trap-in-setup",
    "trap-in-start",
    "panic-in-setup",
    "exit-one",
    "recurse-in-setup",
    "grow-at-once",
    "leak-handles",
    "error-in-check",
];

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Soaked {
    /// Initialisations that succeeded and that failed.
    pub succeeded: u64,
    /// The same that failed.
    pub failed: u64,
    /// Times that a storage was taken away, given back, or a backend told to initialise anew.
    pub disturbances: u64,
    /// The lower quartile of the first fifth after the warm-up.
    pub first: Usage,
    /// The lower quartile of the last fifth.
    pub last: Usage,
    /// What was read, ten times a second.
    pub looks: Vec<Usage>,
}

/// Runs it for so long.
///
/// # Panics
/// When a backend that cannot work is up, one that can is not at the end, or the service dies.
pub fn soak(span: Duration, seed: u64) -> Soaked {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let storage = |number: usize| folder.path().join(format!("{number}"));
    let mut text = String::new();
    for number in 0..HEALTHY {
        std::fs::create_dir(storage(number)).expect("a new folder");
        text += &format!(
            "[backends.healthy{number}]\nbackup_driver = \"posix\"\nbackup_posix_path = \"{0}\"\nfailure_threshold = 1\n\
             grants.directories = [{{ path = \"{0}\", access = \"read-write\" }}]\n",
            storage(number).display()
        );
    }
    for guest in FAILING {
        text += &format!("[backends.{guest}]\nbackup_driver = \"{{drivers}}/hostile/{guest}.wasm\"\n");
    }
    let mut service = Service::configure(
        &format!(
            "periodic_interval = \"{0}ms\"\nreport_interval = \"{0}ms\"\nservice_down_time = \"5s\"\n\
             backup_initialization_timeout = \"{1}ms\"\nbackup_initialization_fuel = 1_000_000_000_000_000\n\
             event_history = 1000",
            INTERVAL.as_millis(),
            DEADLINE.as_millis()
        ),
        &text,
    );
    service.start();
    let mut seen = Soaked::default();
    let mut chance = fastrand::Rng::with_seed(seed);
    let begin = Instant::now();
    let mut next_look = WARM_UP;
    while begin.elapsed() < span {
        disturb(&service, &storage(chance.usize(..HEALTHY)), &mut chance);
        seen.disturbances += 1;
        let pause = Instant::now() + Duration::from_millis(chance.u64(..100));
        while Instant::now() < pause {
            std::thread::sleep(Duration::from_millis(10));
            if begin.elapsed() >= next_look {
                next_look += LOOK;
                seen.looks.push(Usage::of(service.pid()));
            }
        }
        check(&service);
    }
    for number in 0..HEALTHY {
        give_back(&storage(number));
    }
    service.wait_for_all(Duration::from_secs(10), |status| {
        let healthy = status["name"]
            .as_str()
            .is_some_and(|name| name.starts_with("healthy"));
        healthy == (status["state"] == "up")
    });
    for status in check(&service) {
        let count = |name: &str| status[name].as_u64().unwrap_or_default();
        seen.succeeded += count("initializations_succeeded");
        seen.failed += count("initializations_failed");
    }
    service.stop();
    let fifth = (seen.looks.len() / 5).max(1);
    seen.first = Usage::lower_quartile(seen.looks.get(..fifth).unwrap_or_default());
    seen.last = Usage::lower_quartile(
        seen.looks
            .get(seen.looks.len().saturating_sub(fifth)..)
            .unwrap_or_default(),
    );
    seen
}

fn disturb(service: &Service, storage: &Path, chance: &mut fastrand::Rng) {
    match chance.u8(..4) {
        0 if storage.is_dir() => std::fs::rename(storage, away(storage)).expect("the folder moves"),
        0 | 1 => give_back(storage),
        _ => {
            let all = HEALTHY + FAILING.len();
            let number = chance.usize(..all);
            let healthy = format!("healthy{number}");
            let name = number.checked_sub(HEALTHY).and_then(|index| FAILING.get(index));
            let name = name.copied().unwrap_or(&healthy);
            service.post(&format!("/v1/services/{name}/reinitialize"), 202);
        }
    }
}

fn away(storage: &Path) -> PathBuf {
    storage.with_extension("away")
}

fn give_back(storage: &Path) {
    if !storage.is_dir() {
        std::fs::rename(away(storage), storage).expect("the folder moves back");
    }
}

/// No backend that cannot work is up.
fn check(service: &Service) -> Vec<Value> {
    let all = service.get("/v1/services");
    let all = all.as_array().cloned().expect("a list of services");
    for status in &all {
        let name = status["name"].as_str().expect("a name");
        assert!(
            name.starts_with("healthy") || status["state"] == "down",
            "{status:#}"
        );
    }
    all
}
