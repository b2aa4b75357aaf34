//! Life after the first success: probes, loss and return, heartbeats, reported failures.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests")]

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cofferdam_sandbox::{Budget, Failure};
use cofferdam_supervisor::{Driver, Event, Phase, ServiceState, Settings, Supervisor};
use common::{Act, Fake, Script, drain, one, options, pass, secs, settings, unavailable};
use tokio::time::Instant;

fn state(supervisor: &Supervisor<Fake>) -> ServiceState {
    supervisor.status("a").unwrap().state
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_dies_is_degraded_then_down_and_comes_back_as_a_new_generation() {
    let fake = Fake::new(Act::Succeed, Act::Succeed);
    let supervisor = one(&fake, settings());
    pass(secs(61)).await;
    assert_eq!(fake.probe_count(), 1);
    let generation = Arc::downgrade(&supervisor.lease("a").unwrap());
    fake.probes(Act::Fail(unavailable()));
    fake.initializes(Act::Fail(unavailable()));
    for failures in 1..=2 {
        pass(secs(60)).await;
        let status = supervisor.status("a").unwrap();
        assert_eq!((status.phase, status.state), (Phase::Degraded, ServiceState::Up));
        assert_eq!(
            (status.consecutive_failures, status.code.as_deref()),
            (failures, Some("driver.unavailable"))
        );
        assert_eq!(*supervisor.lease("a").unwrap(), 1);
    }
    pass(Duration::from_millis(59_500)).await;
    let status = supervisor.status("a").unwrap();
    assert_eq!((status.phase, status.state), (Phase::Down, ServiceState::Down));
    assert!(generation.upgrade().is_none(), "what is down holds no instances");
    let down_since = status.since;
    assert!(supervisor.lease("a").is_err());
    pass(secs(600)).await;
    assert_eq!(
        supervisor.status("a").unwrap().since,
        down_since,
        "tries that fail do not move it"
    );
    assert_eq!(fake.probe_count(), 4, "what is down is initialised, not probed");
    fake.probes(Act::Succeed);
    fake.initializes(Act::Succeed);
    pass(secs(61)).await;
    let status = supervisor.status("a").unwrap();
    assert_eq!((status.phase, status.code), (Phase::Up, None));
    assert_eq!(*supervisor.lease("a").unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn one_good_probe_mends_a_degraded_backend_without_a_new_generation() {
    let fake = Fake::scripted(Script {
        probe: [Act::Fail(unavailable()), Act::HangForEver].into(),
        ..Script::default()
    });
    let supervisor = one(&fake, settings());
    pass(secs(60 + 60 + 12)).await;
    let status = supervisor.status("a").unwrap();
    assert_eq!(
        (status.phase, status.code.as_deref()),
        (Phase::Degraded, Some("wall-timeout"))
    );
    pass(secs(60)).await;
    let status = supervisor.status("a").unwrap();
    assert_eq!(
        (status.phase, status.consecutive_failures, status.code),
        (Phase::Up, 0, None)
    );
    assert_eq!(fake.init_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_flapping_backend_is_not_initialised_more_often_than_the_back_off_allows() {
    // Every initialisation succeeds, every probe fails, and operations report failures all the time.
    let fake = Fake::new(Act::Succeed, Act::Fail(unavailable()));
    let supervisor = one(
        &fake,
        Settings {
            failure_threshold: 1,
            ..settings()
        },
    );
    let begin = Instant::now();
    while begin.elapsed() < secs(3600) {
        supervisor.report_failure("a", unavailable());
        pass(Duration::from_millis(10)).await;
    }
    let rests = fake.rests();
    assert!(
        rests.iter().all(|rest| *rest >= Duration::from_millis(800)),
        "{rests:?}"
    );
    assert!(
        rests.iter().skip(6).all(|rest| *rest >= secs(48)),
        "it has proved nothing, so the back-off grows"
    );
    assert!(
        fake.init_count() <= 6 + 75,
        "{} initialisations in an hour",
        fake.init_count()
    );
    assert_eq!(fake.calls_most.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_has_proved_itself_is_tried_again_soon_when_it_dies() {
    let fake = Fake::new(Act::Fail(unavailable()), Act::Succeed);
    let supervisor = one(&fake, settings());
    pass(secs(600)).await;
    fake.initializes(Act::Succeed);
    pass(secs(60 + 61)).await;
    assert!(fake.probe_count() > 0);
    fake.probes(Act::Fail(unavailable()));
    let mut watch = supervisor.watch("a").unwrap();
    while watch.changed().await.unwrap().state == ServiceState::Up {}
    let died = Instant::now();
    while watch.changed().await.unwrap().state == ServiceState::Down {}
    assert!(
        died.elapsed() <= Duration::from_millis(1_201),
        "{:?}",
        died.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn the_first_probe_comes_at_a_random_moment_of_the_fuzzy_delay_and_then_once_an_interval() {
    let fakes: Vec<_> = (0..100).map(|_| Fake::new(Act::Succeed, Act::Succeed)).collect();
    let backends = fakes
        .iter()
        .enumerate()
        .map(|(n, fake)| (n.to_string(), fake.clone(), Settings::default()));
    let begin = Instant::now();
    let _supervisor = Supervisor::start_with(backends.collect(), options(7));
    pass(secs(600)).await;
    let firsts: Vec<_> = fakes
        .iter()
        .map(|fake| fake.probe_starts.lock().unwrap()[0] - begin)
        .collect();
    assert!(firsts.iter().all(|first| *first <= secs(60)), "{firsts:?}");
    for quarter in 0..4 {
        let within = (secs(quarter * 15), secs(quarter * 15 + 15));
        let count = firsts
            .iter()
            .filter(|first| **first >= within.0 && **first < within.1)
            .count();
        assert!((10..45).contains(&count), "quarter {quarter}: {count} of 100");
    }
    for fake in &fakes {
        let starts = fake.probe_starts.lock().unwrap();
        assert!(
            starts
                .windows(2)
                .all(|pair| (secs(60)..secs(61)).contains(&(pair[1] - pair[0])))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_heart_beats_while_a_probe_or_a_new_initialisation_hangs() {
    let fake = Fake::scripted(Script {
        init: [Act::Succeed].into(),
        ..Script::default()
    });
    fake.initializes(Act::HangForEver);
    fake.probes(Act::HangForEver);
    let long = secs(300);
    let slow = Settings {
        probe_timeout: long,
        initialization_timeout: long,
        ..settings()
    };
    let supervisor = one(&fake, slow);
    let mut events = supervisor.events();
    pass(secs(200)).await;
    assert_eq!(fake.probe_count(), 1);
    let status = supervisor.status("a").unwrap();
    assert_eq!((status.state, status.next_try), (ServiceState::Up, None));
    supervisor.reinitialize("a").await;
    pass(secs(200)).await;
    assert_eq!(
        (state(&supervisor), fake.init_count()),
        (ServiceState::Up, 2),
        "the old generation serves on"
    );
    let beats = drain(&mut events)
        .iter()
        .filter(|event| matches!(event, Event::Heartbeat { .. }))
        .count();
    assert!((38..=40).contains(&beats), "{beats} beats in 400 s");
    pass(secs(102)).await;
    assert_eq!(state(&supervisor), ServiceState::Down);
    drain(&mut events);
    pass(secs(100)).await;
    let beats = drain(&mut events)
        .iter()
        .filter(|event| matches!(event, Event::Heartbeat { .. }))
        .count();
    assert_eq!(beats, 0, "what is down has no heartbeat");
}

#[tokio::test(start_paused = true)]
async fn a_reported_failure_probes_at_once_but_at_most_once_a_second() {
    let fake = Fake::new(Act::Succeed, Act::Succeed);
    let supervisor = one(&fake, settings());
    pass(secs(10)).await;
    supervisor.report_failure("a", unavailable());
    pass(Duration::from_millis(1)).await;
    assert_eq!(fake.probe_count(), 1);
    for _ in 0..1000 {
        supervisor.report_failure("a", unavailable());
        pass(Duration::from_millis(10)).await;
    }
    assert!(
        (9..=12).contains(&fake.probe_count()),
        "{} probes in 10 s",
        fake.probe_count()
    );
    assert_eq!(state(&supervisor), ServiceState::Up, "only the probe decides");
    let count = fake.probe_count();
    pass(secs(3600)).await;
    assert!(
        (59..=61).contains(&(fake.probe_count() - count)),
        "reports leave the rhythm as it was"
    );
    supervisor.report_failure("nobody", unavailable());
}

#[tokio::test(start_paused = true)]
async fn asked_for_while_an_initialisation_is_under_way_a_new_one_follows_and_never_runs_beside_it() {
    let fake = Fake::new(Act::Take(secs(10)), Act::Succeed);
    let supervisor = one(&fake, settings());
    pass(secs(5)).await;
    for _ in 0..5 {
        assert!(supervisor.reinitialize("a").await);
    }
    pass(secs(6)).await;
    assert_eq!((fake.init_count(), state(&supervisor)), (2, ServiceState::Up));
    pass(secs(40)).await;
    assert_eq!(fake.init_count(), 2, "five requests are one");
    assert_eq!(fake.calls_most.load(Ordering::SeqCst), 1);
    assert_eq!(*supervisor.lease("a").unwrap(), 2);
    assert!(!supervisor.reinitialize("nobody").await);
}

#[tokio::test(start_paused = true)]
async fn an_old_generation_lives_as_long_as_its_leases() {
    let fake = Fake::new(Act::Succeed, Act::Succeed);
    let supervisor = one(&fake, settings());
    supervisor.settled("a").await;
    let old = supervisor.lease("a").unwrap();
    supervisor.reinitialize("a").await;
    pass(secs(1)).await;
    assert_eq!((*old, *supervisor.lease("a").unwrap()), (1, 2));
    assert_eq!(Arc::strong_count(&old), 1, "nobody but the operation holds it");
}

/// Blocks its thread in a probe, which no future may do, but a broken host function might.
struct Blocking {
    begun: AtomicBool,
    release: Mutex<std::sync::mpsc::Receiver<()>>,
}

#[async_trait::async_trait]
impl Driver for Blocking {
    type Ready = ();

    async fn load(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn initialize(&self, _: &Budget) -> Result<Arc<()>, Failure> {
        Ok(Arc::new(()))
    }

    async fn probe(&self, _: &Arc<()>, _: &Budget) -> Result<(), Failure> {
        self.begun.store(true, Ordering::SeqCst);
        let _ = self.release.lock().unwrap().recv();
        Ok(())
    }
}

#[test]
fn a_task_that_is_stuck_reads_down_by_its_missing_heartbeat() {
    // In real time, since a blocked thread stops the virtual one; the runtime has a thread of its own.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let (release, receiver) = std::sync::mpsc::channel();
    let driver = Arc::new(Blocking {
        begun: AtomicBool::new(false),
        release: Mutex::new(receiver),
    });
    let quick = Settings {
        periodic_interval: Duration::from_millis(50),
        periodic_fuzzy_delay: Duration::ZERO,
        report_interval: Duration::from_millis(20),
        service_down_time: Duration::from_millis(200),
        ..Settings::default()
    };
    let entered = runtime.enter();
    let supervisor = Supervisor::start(vec![("a".into(), driver.clone(), quick)]);
    drop(entered);
    while !driver.begun.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(250));
    let read = supervisor.lease("a").map_err(|refused| refused.status.code);
    drop(release);
    assert_eq!(read, Err(Some("no-heartbeat".into())));
}
