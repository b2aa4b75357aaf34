//! Life after the first success: probes, loss and return, heartbeats, reported failures, commands, shutdown.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests")]

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cofferdam_sandbox::{Budget, Failure};
use cofferdam_supervisor::{Driver, Event, Phase, ServiceState, Settings, Supervisor};
use common::{Act, Fake, Script, drain, misconfigured, one, options, pass, secs, settings, unavailable};
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

#[tokio::test(start_paused = true)]
async fn a_disabled_backend_is_refused_and_left_alone_until_it_is_enabled() {
    let fake = Fake::new(Act::Succeed, Act::Succeed);
    let supervisor = one(&fake, settings());
    supervisor.settled("a").await;
    assert!(supervisor.disable("a", "maintenance until noon").await);
    pass(secs(3600)).await;
    let status = supervisor.status("a").unwrap();
    assert_eq!(
        (status.phase, status.state, status.next_try),
        (Phase::Disabled, ServiceState::Down, None)
    );
    assert_eq!(status.message.as_deref(), Some("maintenance until noon"));
    assert_eq!((fake.init_count(), fake.probe_count()), (1, 0));
    supervisor.reinitialize("a").await;
    supervisor.report_failure("a", unavailable());
    pass(secs(3600)).await;
    assert_eq!(fake.init_count(), 1);
    assert!(supervisor.enable("a").await);
    pass(secs(1)).await;
    assert_eq!((fake.init_count(), state(&supervisor)), (2, ServiceState::Up));
    supervisor.enable("a").await;
    pass(secs(1)).await;
    assert_eq!(fake.init_count(), 2, "enabling what is enabled does nothing");
}

#[tokio::test(start_paused = true)]
async fn disabled_before_its_first_outcome_it_is_settled() {
    let fake = Fake::new(Act::HangForEver, Act::Succeed);
    let supervisor = one(&fake, settings());
    pass(secs(1)).await;
    let begin = Instant::now();
    supervisor.disable("a", "not today").await;
    supervisor.settled("a").await;
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert_eq!(
        fake.calls_now.load(Ordering::SeqCst),
        0,
        "the call under way is dropped"
    );
    supervisor.settled("nobody").await;
}

#[tokio::test(start_paused = true)]
async fn shutdown_while_initialising_ends_at_once_and_all_reads_down() {
    let (hanging, good) = (
        Fake::new(Act::HangForEver, Act::Succeed),
        Fake::new(Act::Succeed, Act::Succeed),
    );
    let supervisor = Supervisor::start_with(
        vec![
            ("hang".into(), hanging.clone(), settings()),
            ("a".into(), good, settings()),
        ],
        options(1),
    );
    supervisor.settled("a").await;
    let mut watch = supervisor.watch("a").unwrap();
    let begin = Instant::now();
    supervisor.shutdown().await;
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert_eq!(hanging.calls_now.load(Ordering::SeqCst), 0);
    for status in supervisor.statuses() {
        assert_eq!(
            (status.state, status.code.as_deref()),
            (ServiceState::Down, Some("stopped"))
        );
    }
    assert!(supervisor.lease("a").is_err());
    assert!(!supervisor.reinitialize("a").await);
    supervisor.settled("hang").await;
    assert_eq!(watch.changed().await.unwrap().state, ServiceState::Down);
    assert!(watch.changed().await.is_none());
    supervisor.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_is_dropped_stops_its_backends() {
    let fake = Fake::new(Act::HangForEver, Act::Succeed);
    let supervisor = one(&fake, settings());
    pass(secs(1)).await;
    assert_eq!(fake.calls_now.load(Ordering::SeqCst), 1);
    drop(supervisor);
    pass(secs(1)).await;
    assert_eq!(fake.calls_now.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_or_second_backend_of_a_name_is_refused() {
    let (first, second) = (
        Fake::new(Act::Succeed, Act::Succeed),
        Fake::new(Act::Succeed, Act::Succeed),
    );
    let supervisor = Supervisor::start(vec![
        ("a".into(), first, Settings::default()),
        ("a".into(), second.clone(), Settings::default()),
    ]);
    supervisor.settled("a").await;
    assert_eq!((supervisor.statuses().len(), second.init_count()), (1, 0));
    let refused = supervisor.lease("b").unwrap_err();
    assert_eq!(refused.status.code.as_deref(), Some("unknown-backend"));
    assert!(supervisor.status("b").is_none() && supervisor.watch("b").is_none());
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

#[tokio::test(start_paused = true)]
async fn a_working_backend_serves_on_until_its_new_configuration_has_an_outcome() {
    let old = Fake::new(Act::Succeed, Act::Succeed);
    let supervisor = one(&old, settings());
    supervisor.settled("a").await;
    let new = Fake::new(Act::Take(secs(5)), Act::Succeed);
    assert!(supervisor.configure("a", new.clone(), settings()).await);
    pass(secs(4)).await;
    assert_eq!(
        state(&supervisor),
        ServiceState::Up,
        "the old generation serves on"
    );
    pass(secs(2)).await;
    assert_eq!(state(&supervisor), ServiceState::Up);
    pass(secs(120)).await;
    assert_eq!((old.init_count(), old.probe_count(), new.init_count()), (1, 0, 1));
    assert!(new.probe_count() > 0, "the new driver is probed");

    // A new configuration that does not work takes it down, also while another is being tried.
    let hanging = Fake::new(Act::HangForEver, Act::Succeed);
    let broken = Fake::new(Act::Fail(misconfigured()), Act::Succeed);
    supervisor.configure("a", hanging.clone(), settings()).await;
    pass(secs(1)).await;
    supervisor.configure("a", broken.clone(), settings()).await;
    pass(secs(1)).await;
    assert_eq!(
        hanging.calls_now.load(Ordering::SeqCst),
        0,
        "what was under way is given up"
    );
    assert_eq!(state(&supervisor), ServiceState::Down);
    assert_eq!((hanging.init_count(), broken.init_count()), (1, 1));
    supervisor.configure("a", new, settings()).await;
    pass(secs(6)).await;
    assert_eq!(state(&supervisor), ServiceState::Up);
    assert!(!supervisor.configure("b", hanging, settings()).await);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_backend_stays_disabled_when_it_is_configured_anew() {
    let (old, new) = (
        Fake::new(Act::Succeed, Act::Succeed),
        Fake::new(Act::Succeed, Act::Succeed),
    );
    let supervisor = one(&old, settings());
    supervisor.disable("a", "not today").await;
    supervisor.configure("a", new.clone(), settings()).await;
    pass(secs(100)).await;
    assert_eq!(
        (supervisor.status("a").unwrap().phase, new.init_count()),
        (Phase::Disabled, 0)
    );
    supervisor.enable("a").await;
    pass(secs(1)).await;
    assert_eq!((state(&supervisor), new.init_count()), (ServiceState::Up, 1));
}

#[tokio::test(start_paused = true)]
async fn backends_come_and_go_while_the_others_run() {
    let (first, second) = (
        Fake::new(Act::Succeed, Act::Succeed),
        Fake::new(Act::HangForEver, Act::Succeed),
    );
    let supervisor = one(&first, settings());
    let mut events = supervisor.events();
    assert!(supervisor.add("b", second.clone(), settings()));
    assert!(
        !supervisor.add("b", second.clone(), settings()),
        "the name is taken"
    );
    supervisor.settled("a").await;
    let leased = supervisor.lease("a").unwrap();
    assert!(supervisor.remove("a").await);
    assert!(!supervisor.remove("a").await);
    assert_eq!(*leased, 1, "what is leased stays usable");
    assert_eq!(
        supervisor.lease("a").unwrap_err().status.code.as_deref(),
        Some("unknown-backend")
    );
    let last = drain(&mut events)
        .into_iter()
        .rev()
        .find(|event| event.backend() == "a");
    let Some(Event::State { to, code, .. }) = last else {
        panic!("{last:?}")
    };
    assert_eq!((to, code.as_deref()), (Phase::Down, Some("removed")));
    assert!(supervisor.remove("b").await);
    assert_eq!(
        second.calls_now.load(Ordering::SeqCst),
        0,
        "the call under way is dropped"
    );
    assert!(supervisor.add("a", first.clone(), settings()));
    supervisor.settled("a").await;
    assert_eq!((state(&supervisor), first.init_count()), (ServiceState::Up, 2));
}
