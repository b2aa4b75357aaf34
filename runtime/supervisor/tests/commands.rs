//! What a supervisor is told to do: disable, enable, configure anew, add, remove, end.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests")]

mod common;

use std::sync::atomic::Ordering;
use std::time::Duration;

use cofferdam_supervisor::{Event, Phase, ServiceState, Settings, Supervisor};
use common::{Act, Fake, drain, misconfigured, one, options, pass, secs, settings, unavailable};
use tokio::time::Instant;

fn state(supervisor: &Supervisor<Fake>) -> ServiceState {
    supervisor.status("a").unwrap().state
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
