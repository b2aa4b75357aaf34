//! The initialisation promise (design 1, rules 1 to 5) under virtual time.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests")]

mod common;

use std::sync::atomic::Ordering;
use std::time::Duration;

use cofferdam_sandbox::{Failure, Phase as Call};
use cofferdam_supervisor::{Event, Phase, ServiceState, Settings, Supervisor};
use common::{
    Act, Fake, Script, base_seed, drain, misconfigured, one, options, pass, secs, settings, unavailable,
};
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_good_backend_is_up_with_what_its_initialisation_cost() {
    let fake = Fake::new(Act::Take(Duration::from_millis(1500)), Act::Succeed);
    let supervisor = one(&fake, settings());
    let before = supervisor.status("a").unwrap();
    assert_eq!(
        (before.state, before.phase, before.attempt),
        (ServiceState::Down, Phase::Pending, 0)
    );
    supervisor.settled("a").await;
    let status = supervisor.status("a").unwrap();
    assert_eq!(
        (status.state, status.phase, status.attempt),
        (ServiceState::Up, Phase::Up, 1)
    );
    let cost = status.last_initialization.unwrap();
    assert_eq!(
        (cost.duration_ms, cost.fuel, cost.peak_memory),
        (1500.0, 5_000_000_000, 4096)
    );
    assert_eq!((status.code, status.consecutive_failures), (None, 0));
    assert_eq!(*supervisor.lease("a").unwrap(), 1);
    let json = serde_json::to_value(supervisor.status("a").unwrap()).unwrap();
    assert_eq!(json["state"], "up");
    assert_eq!(json["since"], "2026-01-01T00:00:01.5Z");
    assert_eq!(json["next_try"], "2026-01-01T00:01:01.5Z");
    assert_eq!(json["code"], serde_json::Value::Null);
}

#[tokio::test(start_paused = true)]
async fn it_never_reads_up_before_the_first_success() {
    let fake = Fake::scripted(Script {
        init: [
            Act::Fail(unavailable()),
            Act::HangToDeadline,
            Act::HangForEver,
            Act::Panic,
        ]
        .into(),
        ..Script::default()
    });
    let supervisor = one(&fake, settings());
    let mut watch = supervisor.watch("a").unwrap();
    loop {
        let status = watch.changed().await.unwrap();
        if status.state == ServiceState::Up {
            break;
        }
        assert!(supervisor.lease("a").is_err());
    }
    assert_eq!(fake.generation.load(Ordering::SeqCst), 1);
    assert_eq!(fake.init_count(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_failed_initialisation_is_down_at_once_with_a_reason() {
    let fake = Fake::new(Act::Fail(misconfigured()), Act::Succeed);
    let supervisor = one(&fake, settings());
    supervisor.settled("a").await;
    let status = supervisor.status("a").unwrap();
    assert_eq!((status.state, status.phase), (ServiceState::Down, Phase::Down));
    assert_eq!(status.code.as_deref(), Some("driver.invalid-configuration"));
    assert!(status.message.unwrap().contains("backup_posix_path"));
    assert!(status.remedy.is_some() && status.next_try.is_some());
    let refused = supervisor.lease("a").unwrap_err();
    assert!(refused.to_string().contains("not a directory"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_returns_fails_one_second_after_its_deadline() {
    let begin = Instant::now();
    let fake = Fake::new(Act::HangForEver, Act::Succeed);
    let supervisor = one(&fake, settings());
    supervisor.settled("a").await;
    assert_eq!(begin.elapsed(), secs(31));
    assert_eq!(
        supervisor.status("a").unwrap().code.as_deref(),
        Some("wall-timeout")
    );
    assert_eq!(fake.calls_now.load(Ordering::SeqCst), 0, "its future is dropped");
}

#[tokio::test(start_paused = true)]
async fn loading_is_not_charged_to_the_deadline_and_its_failure_is_down_too() {
    let fake = Fake::new(Act::Take(secs(29)), Act::Succeed);
    fake.script.lock().unwrap().load = Some(Act::Take(secs(29)));
    let supervisor = one(&fake, settings());
    supervisor.settled("a").await;
    let status = supervisor.status("a").unwrap();
    assert_eq!(
        (status.state, status.last_initialization.unwrap().duration_ms),
        (ServiceState::Up, 29_000.0)
    );
    let begin = Instant::now();
    fake.initializes(Act::HangToDeadline);
    supervisor.reinitialize("a").await;
    let mut watch = supervisor.watch("a").unwrap();
    while watch.changed().await.unwrap().state == ServiceState::Up {}
    assert_eq!(
        begin.elapsed().as_secs(),
        29 + 30,
        "the deadline counts from the end of loading"
    );
    fake.script.lock().unwrap().load = Some(Act::Fail(Failure::InvalidComponent {
        reason: "truncated".into(),
    }));
    supervisor.reinitialize("a").await;
    pass(secs(1)).await;
    let status = supervisor.status("a").unwrap();
    assert_eq!(
        (status.state, status.code.as_deref()),
        (ServiceState::Down, Some("invalid-component"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_call_is_a_failure_and_the_backend_comes_back() {
    let fake = Fake::scripted(Script {
        init: [Act::Panic].into(),
        ..Script::default()
    });
    let supervisor = one(&fake, settings());
    supervisor.settled("a").await;
    let status = supervisor.status("a").unwrap();
    assert_eq!(status.code.as_deref(), Some("host"));
    assert!(status.message.unwrap().contains("scripted panic"));
    pass(secs(2)).await;
    assert_eq!(supervisor.status("a").unwrap().state, ServiceState::Up);
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_hangs_delays_no_other() {
    let (hanging, good) = (
        Fake::new(Act::HangForEver, Act::Succeed),
        Fake::new(Act::Succeed, Act::Succeed),
    );
    let mut backends: Vec<_> = (0..200)
        .map(|n| (format!("hang{n}"), hanging.clone(), settings()))
        .collect();
    backends.push(("good".into(), good.clone(), settings()));
    let supervisor = Supervisor::start_with(backends, options(1));
    let begin = Instant::now();
    supervisor.settled("good").await;
    let waited = begin.elapsed();
    assert!(
        waited < Duration::from_millis(400),
        "200 that hang begin before it, 5 ms apart: {waited:?}"
    );
    pass(secs(601)).await;
    assert_eq!(good.probe_count(), 10);
    let starts = good.probe_starts.lock().unwrap().clone();
    assert!(
        starts
            .windows(2)
            .all(|pair| (60_000..60_010).contains(&(pair[1] - pair[0]).as_millis())),
        "{starts:?}"
    );
    assert_eq!(
        supervisor
            .statuses()
            .iter()
            .filter(|status| status.state == ServiceState::Up)
            .count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn retries_back_off_from_one_second_to_the_interval_and_no_further() {
    let fake = Fake::new(Act::Fail(unavailable()), Act::Succeed);
    let supervisor = one(&fake, settings());
    pass(secs(24 * 3600)).await;
    let rests = fake.rests();
    for (rest, middle) in rests.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 32.0]) {
        let (least, most) = (
            Duration::from_secs_f64(middle * 0.799),
            Duration::from_secs_f64(middle * 1.201),
        );
        assert!((least..=most).contains(rest), "{rest:?} is not about {middle} s");
    }
    for rest in rests.iter().skip(6) {
        assert!(
            (secs(48)..=Duration::from_millis(60_001)).contains(rest),
            "{rest:?}"
        );
    }
    assert!(
        (24 * 60..24 * 75 + 6).contains(&rests.len()),
        "{} tries in a day",
        rests.len()
    );
    assert_eq!(
        supervisor.status("a").unwrap().attempt as usize,
        fake.init_count()
    );
}

#[tokio::test(start_paused = true)]
async fn what_must_be_mended_is_tried_once_an_interval() {
    let fake = Fake::new(Act::Fail(misconfigured()), Act::Succeed);
    let _supervisor = one(&fake, settings());
    pass(secs(3600)).await;
    assert!(
        fake.rests().iter().all(|rest| *rest >= secs(48)),
        "{:?}",
        fake.rests()
    );
    assert!((60..=76).contains(&fake.init_count()), "{}", fake.init_count());
}

#[tokio::test(start_paused = true)]
async fn a_repaired_backend_is_up_within_one_interval() {
    let base = base_seed();
    for round in 0..500 {
        let seed = base.wrapping_add(round);
        let mut rng = fastrand::Rng::with_seed(seed);
        let act = match rng.u8(0..3) {
            0 => Act::Fail(unavailable()),
            1 => Act::Fail(misconfigured()),
            _ => Act::HangToDeadline,
        };
        let fake = Fake::new(act.clone(), Act::Succeed);
        let supervisor = Supervisor::start_with(
            vec![("a".into(), fake.clone(), Settings::default())],
            options(seed),
        );
        pass(Duration::from_millis(rng.u64(0..600_000))).await;
        fake.initializes(Act::Succeed);
        let repaired = Instant::now();
        let mut watch = supervisor.watch("a").unwrap();
        while watch.status().state == ServiceState::Down {
            watch.changed().await.unwrap();
        }
        let took = repaired.elapsed();
        assert!(
            took <= Duration::from_millis(60_001),
            "seed {seed}: {act:?} repaired, up only after {took:?}"
        );
        supervisor.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_periodic_initialization_it_stays_down_until_it_is_asked_for() {
    let fake = Fake::scripted(Script {
        init: [Act::Fail(unavailable())].into(),
        ..Script::default()
    });
    let supervisor = one(
        &fake,
        Settings {
            periodic_initialization: false,
            ..settings()
        },
    );
    pass(secs(24 * 3600)).await;
    assert_eq!(fake.init_count(), 1, "the first try is always made");
    assert_eq!(supervisor.status("a").unwrap().next_try, None);
    assert!(supervisor.reinitialize("a").await);
    pass(secs(1)).await;
    assert_eq!(supervisor.status("a").unwrap().state, ServiceState::Up);
    // A backend that dies later stays down as well.
    fake.probes(Act::Fail(unavailable()));
    pass(secs(24 * 3600)).await;
    assert_eq!(supervisor.status("a").unwrap().state, ServiceState::Down);
    assert_eq!(fake.init_count(), 2);
}

#[tokio::test(start_paused = true)]
async fn every_try_and_every_change_of_state_is_an_event() {
    let fake = Fake::scripted(Script {
        init: [Act::Fail(unavailable())].into(),
        ..Script::default()
    });
    let supervisor = one(&fake, settings());
    let mut events = supervisor.events();
    pass(secs(3)).await;
    let events = drain(&mut events);
    let kinds: Vec<_> = events
        .iter()
        .map(Event::kind)
        .filter(|kind| !kind.ends_with("heartbeat"))
        .collect();
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| kind.ends_with("initialize.start"))
            .count(),
        2
    );
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| kind.ends_with("initialize.failure"))
            .count(),
        1
    );
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| kind.ends_with("initialize.success"))
            .count(),
        1
    );
    let path: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::State { from, to, .. } => Some((*from, *to)),
            _ => None,
        })
        .collect();
    use Phase::{Down, Initializing, Pending, Up};
    assert_eq!(
        path,
        [
            (Pending, Initializing),
            (Initializing, Down),
            (Down, Initializing),
            (Initializing, Up)
        ]
    );
    let failure = events
        .iter()
        .find(|event| matches!(event, Event::InitializeFailure { .. }))
        .unwrap();
    let json = serde_json::to_value(failure).unwrap();
    assert_eq!(
        (&json["code"], &json["attempt"]),
        (&"driver.unavailable".into(), &1.into())
    );
    assert!(json["next_try"].is_string());
}

#[tokio::test(start_paused = true)]
async fn a_receiver_of_events_that_does_not_read_delays_nothing() {
    let fake = Fake::new(Act::Succeed, Act::Succeed);
    let supervisor = Supervisor::start_with(
        vec![("a".into(), fake.clone(), settings())],
        cofferdam_supervisor::Options {
            event_capacity: 2,
            ..options(1)
        },
    );
    let mut events = supervisor.events();
    pass(secs(3601)).await;
    assert_eq!(fake.probe_count(), 60);
    assert!(matches!(
        events.recv().await,
        Err(tokio::sync::broadcast::error::RecvError::Lagged(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn the_drivers_own_word_for_its_deadline_is_kept() {
    let begin = Instant::now();
    let fake = Fake::new(Act::HangToDeadline, Act::Succeed);
    let supervisor = one(
        &fake,
        Settings {
            initialization_timeout: secs(5),
            ..settings()
        },
    );
    supervisor.settled("a").await;
    assert_eq!(begin.elapsed(), secs(5));
    let expected = Failure::WallTimeout {
        phase: Call::DoSetup,
        limit: secs(5),
    };
    assert_eq!(
        supervisor.status("a").unwrap().message,
        Some(expected.to_string())
    );
}
