//! A driver whose behaviour a test scripts, and helpers for virtual time.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests"
)]
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test file uses a part of this"
)]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cofferdam_sandbox::contract::{DriverError, InvalidOption};
use cofferdam_sandbox::{Budget, Failure, Phase as Call, Usage};
use cofferdam_supervisor::{Driver, Event, Options, Settings, Supervisor};
use jiff::Timestamp;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep_until};

/// What a call does.
#[derive(Debug, Clone)]
pub enum Act {
    Succeed,
    /// Succeeds after a time.
    Take(Duration),
    Fail(Failure),
    /// Fails after a time.
    FailAfter(Duration, Failure),
    /// Keeps its deadline as the sandbox does: waits for it, then fails.
    HangToDeadline,
    /// Never returns.
    HangForEver,
    Panic,
}

#[derive(Debug, Default)]
pub struct Script {
    /// Taken one by one; then `init_rest` for ever.
    pub init: VecDeque<Act>,
    pub init_rest: Option<Act>,
    pub probe: VecDeque<Act>,
    pub probe_rest: Option<Act>,
    pub load: Option<Act>,
}

/// The driver.
#[derive(Debug, Default)]
pub struct Fake {
    pub script: Mutex<Script>,
    pub init_starts: Mutex<Vec<Instant>>,
    pub init_ends: Mutex<Vec<Instant>>,
    pub probe_starts: Mutex<Vec<Instant>>,
    pub loads: AtomicUsize,
    /// Successful initialisations; may be shared by the drivers that one backend has in turn.
    pub generation: Arc<AtomicU64>,
    pub calls_now: AtomicUsize,
    pub calls_most: AtomicUsize,
}

/// A generation: its number.
pub type Ready = u64;

/// Counts calls under way, also when they are dropped.
struct Counted<'a>(&'a Fake);

impl<'a> Counted<'a> {
    fn new(fake: &'a Fake) -> Self {
        let now = fake.calls_now.fetch_add(1, Ordering::SeqCst) + 1;
        fake.calls_most.fetch_max(now, Ordering::SeqCst);
        Counted(fake)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.calls_now.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn act(act: Act, call: Call, budget: &Budget) -> Result<(), Failure> {
    match act {
        Act::Succeed => Ok(()),
        Act::Take(time) => {
            tokio::time::sleep(time).await;
            Ok(())
        }
        Act::Fail(failure) => Err(failure),
        Act::FailAfter(time, failure) => {
            tokio::time::sleep(time).await;
            Err(failure)
        }
        Act::HangToDeadline => {
            sleep_until(budget.deadline()).await;
            Err(Failure::WallTimeout {
                phase: call,
                limit: budget.limit(),
            })
        }
        Act::HangForEver => std::future::pending().await,
        Act::Panic => panic!("scripted panic"),
    }
}

impl Fake {
    pub fn new(init_rest: Act, probe_rest: Act) -> Arc<Self> {
        Self::scripted(Script {
            init_rest: Some(init_rest),
            probe_rest: Some(probe_rest),
            ..Script::default()
        })
    }

    pub fn scripted(script: Script) -> Arc<Self> {
        Arc::new(Fake {
            script: Mutex::new(script),
            ..Fake::default()
        })
    }

    /// Another driver that counts its generations on.
    pub fn succeeded_by(&self, init_rest: Act, probe_rest: Act) -> Arc<Self> {
        let script = Script {
            init_rest: Some(init_rest),
            probe_rest: Some(probe_rest),
            ..Script::default()
        };
        Arc::new(Fake {
            script: Mutex::new(script),
            generation: self.generation.clone(),
            ..Fake::default()
        })
    }

    /// From now on initialisations do this.
    pub fn initializes(&self, act: Act) {
        self.script.lock().unwrap().init_rest = Some(act);
    }

    /// From now on probes do this.
    pub fn probes(&self, act: Act) {
        self.script.lock().unwrap().probe_rest = Some(act);
    }

    pub fn init_count(&self) -> usize {
        self.init_starts.lock().unwrap().len()
    }

    pub fn probe_count(&self) -> usize {
        self.probe_starts.lock().unwrap().len()
    }

    /// Times between the end of one initialisation and the start of the next.
    pub fn rests(&self) -> Vec<Duration> {
        let (starts, ends) = (self.init_starts.lock().unwrap(), self.init_ends.lock().unwrap());
        starts
            .iter()
            .skip(1)
            .zip(ends.iter())
            .map(|(start, end)| start.duration_since(*end))
            .collect()
    }
}

#[async_trait]
impl Driver for Fake {
    type Ready = Ready;

    async fn load(&self) -> Result<(), Failure> {
        let _counted = Counted::new(self);
        self.loads.fetch_add(1, Ordering::SeqCst);
        let what = self.script.lock().unwrap().load.clone().unwrap_or(Act::Succeed);
        act(what, Call::Load, &Budget::new(Duration::ZERO, 0)).await
    }

    async fn initialize(&self, budget: &Budget) -> Result<Arc<Ready>, Failure> {
        let _counted = Counted::new(self);
        self.init_starts.lock().unwrap().push(Instant::now());
        let what = {
            let mut script = self.script.lock().unwrap();
            let rest = script.init_rest.clone();
            script.init.pop_front().or(rest).unwrap_or(Act::Succeed)
        };
        budget.charge(Usage {
            fuel: budget.fuel_left() / 2,
            peak_memory: 4096,
        });
        let result = act(what, Call::DoSetup, budget).await;
        self.init_ends.lock().unwrap().push(Instant::now());
        result?;
        Ok(Arc::new(self.generation.fetch_add(1, Ordering::SeqCst) + 1))
    }

    async fn probe(&self, _ready: &Arc<Ready>, budget: &Budget) -> Result<(), Failure> {
        let _counted = Counted::new(self);
        self.probe_starts.lock().unwrap().push(Instant::now());
        let what = {
            let mut script = self.script.lock().unwrap();
            let rest = script.probe_rest.clone();
            script.probe.pop_front().or(rest).unwrap_or(Act::Succeed)
        };
        act(what, Call::Probe, budget).await
    }
}

/// A failure that may pass by itself.
pub fn unavailable() -> Failure {
    Failure::Driver {
        phase: Call::DoSetup,
        error: DriverError::Unavailable("the storage is gone".into()),
    }
}

/// A crash of the guest.
pub fn trapped() -> Failure {
    Failure::Trap {
        phase: Call::DoSetup,
        reason: "unreachable".into(),
    }
}

/// A failure that somebody must mend.
pub fn misconfigured() -> Failure {
    let option = InvalidOption {
        option_name: "backup_posix_path".into(),
        reason: "not a directory".into(),
    };
    Failure::Driver {
        phase: Call::DoSetup,
        error: DriverError::InvalidConfiguration(option),
    }
}

/// Options whose wall clock follows virtual time from a round date.
pub fn options(seed: u64) -> Options {
    let begin = Instant::now();
    let epoch: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    Options {
        clock: Arc::new(move || epoch.checked_add(begin.elapsed()).unwrap()),
        seed: Some(seed),
        ..Options::default()
    }
}

/// Defaults without the random first probe.
pub fn settings() -> Settings {
    Settings {
        periodic_fuzzy_delay: Duration::ZERO,
        ..Settings::default()
    }
}

/// One backend `a`.
pub fn one(driver: &Arc<Fake>, settings: Settings) -> Supervisor<Fake> {
    Supervisor::start_with(vec![("a".into(), driver.clone(), settings)], options(1))
}

/// Lets virtual time pass.
pub async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

pub fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// All events that are there now.
pub fn drain(events: &mut broadcast::Receiver<Event>) -> Vec<Event> {
    std::iter::from_fn(|| events.try_recv().ok()).collect()
}

/// The seed of a random test: from COFFERDAM_SEED, or drawn and printed.
pub fn base_seed() -> u64 {
    let seed = std::env::var("COFFERDAM_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("COFFERDAM_SEED={seed}");
    seed
}
