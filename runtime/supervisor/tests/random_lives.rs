//! Random lives of whole supervisors under virtual time: drivers that succeed, fail, hang, crash and lose their probes,
//! commands, new configurations, jumps of the wall clock and shutdowns at any moment, and the promises looked at after
//! each step.
//!
//! Bound: 100,000 lives in all, in four tests that run side by side. Each prints its seed and what it saw.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use cofferdam_sandbox::contract::{DriverError, Throttle};
use cofferdam_sandbox::{Failure, Phase as Call};
use cofferdam_supervisor::{Event, Options, Phase, ServiceState, Settings, Supervisor};
use common::{Act, Fake, Script, base_seed, drain, misconfigured, options, pass, secs, trapped, unavailable};
use jiff::Timestamp;

/// Lives of each of the four tests.
const LIVES: u64 = 25_000;

fn any_act(rng: &mut fastrand::Rng) -> Act {
    match rng.u8(0..10) {
        0..=2 => Act::Succeed,
        3 => Act::Fail(unavailable()),
        4 => Act::Fail(misconfigured()),
        8 => Act::Fail(trapped()),
        5 => Act::HangToDeadline,
        6 => Act::HangForEver,
        7 => Act::Take(Duration::from_millis(rng.u64(0..40_000))),
        _ => {
            let error = DriverError::Throttled(Throttle {
                retry_after: Some(rng.u32(0..200_000)),
                reason: "busy".into(),
            });
            Act::FailAfter(
                Duration::from_millis(rng.u64(0..5_000)),
                Failure::Driver {
                    phase: Call::DoSetup,
                    error,
                },
            )
        }
    }
}

/// Steps of the phase must be those of the drawing, without a gap.
fn check_path(events: &[Event], last: &mut Phase, at: &str) {
    use Phase::{Degraded, Disabled, Down, Initializing, Pending, Up};
    for event in events {
        let Event::State {
            from,
            to,
            state,
            code,
            ..
        } = event
        else {
            continue;
        };
        assert_eq!(from, last, "no change is lost: {at}");
        let drawn = matches!(
            (from, to),
            (Pending | Down, Initializing)
                | (Initializing | Degraded, Up)
                | (Up, Degraded)
                | (Pending | Initializing | Up | Degraded, Down)
                | (_, Disabled)
                | (Disabled | Initializing, Pending)
        );
        assert!(drawn, "{from} to {to}: {at}");
        assert_eq!(*state == ServiceState::Up, matches!(to, Up | Degraded), "{at}");
        assert!(
            code.is_some() || !matches!(to, Down | Degraded | Disabled),
            "a reason: {at}"
        );
        *last = *to;
    }
}

/// A wall clock that jumps: nothing may be decided by it.
fn jumping(seed: u64) -> (Options, Arc<AtomicI64>) {
    let (plain, jump) = (options(seed), Arc::new(AtomicI64::new(0)));
    let (clock, by) = (plain.clock.clone(), jump.clone());
    let clock = Arc::new(move || -> Timestamp {
        let seconds = by.load(Ordering::SeqCst);
        clock()
            .checked_add(jiff::SignedDuration::from_secs(seconds))
            .unwrap()
    });
    (Options { clock, ..plain }, jump)
}

#[derive(Default)]
struct Seen {
    steps: usize,
    tries: usize,
    probes: usize,
    reloads: usize,
    shutdowns: usize,
}

/// One life: a backend `a` that everything happens to, and a healthy one beside it.
async fn live(seed: u64, seen: &mut Seen) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let settings = Settings {
        failure_threshold: rng.u32(1..4),
        ..Settings::default()
    };
    let script = Script {
        init: (0..6).map(|_| any_act(&mut rng)).collect(),
        probe: (0..6).map(|_| any_act(&mut rng)).collect(),
        ..Script::default()
    };
    let mut fake = Fake::scripted(script);
    let healthy = Fake::new(Act::Succeed, Act::Succeed);
    let (options, jump) = jumping(seed);
    let supervisor = Supervisor::start_with(
        vec![
            ("a".into(), fake.clone(), settings.clone()),
            ("healthy".into(), healthy.clone(), Settings::default()),
        ],
        options,
    );
    let mut events = supervisor.events();
    let (mut phase, mut asked, mut enabled, mut ever_up) = (Phase::Pending, 0_usize, true, false);
    for step in 0..rng.usize(2..16) {
        let at = format!("COFFERDAM_SEED={seed}, step {step}");
        match rng.u8(0..16) {
            0 => asked += usize::from(supervisor.reinitialize("a").await),
            1 => {
                supervisor.disable("a", "test").await;
                enabled = false;
            }
            2 | 3 => {
                supervisor.enable("a").await;
                asked += usize::from(!enabled);
                enabled = true;
            }
            4 => supervisor.report_failure("a", unavailable()),
            5 => fake.initializes(any_act(&mut rng)),
            6 => fake.probes(any_act(&mut rng)),
            7 => jump.store(rng.i64(-100_000_000..100_000_000), Ordering::SeqCst),
            8 => {
                // A reload with a changed section: another driver from now on. The old one must be left alone.
                seen.tries += fake.init_count();
                seen.probes += fake.probe_count();
                fake = fake.succeeded_by(any_act(&mut rng), any_act(&mut rng));
                assert!(supervisor.configure("a", fake.clone(), settings.clone()).await);
                (asked, seen.reloads) = (1, seen.reloads + 1);
            }
            9 => {
                // Taken out and put back: a new backend that has never been up.
                let held = supervisor.lease("a").ok();
                assert!(supervisor.remove("a").await, "{at}");
                assert_eq!(
                    fake.calls_now.load(Ordering::SeqCst),
                    0,
                    "a call outlives its backend: {at}"
                );
                assert!(supervisor.add("a", fake.clone(), settings.clone()), "{at}");
                drop(held);
                // Its old life is over; the new one begins where all begin.
                check_path(&of_a(&mut events), &mut phase, &at);
                assert!(matches!(phase, Phase::Down | Phase::Disabled), "{at}");
                (phase, asked, enabled, ever_up) = (Phase::Pending, asked + 1, true, false);
                fake.generation.store(0, Ordering::SeqCst);
                seen.reloads += 1;
            }
            _ => {}
        }
        pass(Duration::from_millis(rng.u64(1..90_000))).await;
        let status = supervisor.status("a").unwrap();
        let successes = fake.generation.load(Ordering::SeqCst);
        ever_up |= status.state == ServiceState::Up;
        assert!(
            !ever_up || successes > 0,
            "never up before the first success: {at}"
        );
        let lease = supervisor.lease("a");
        assert_eq!(status.state == ServiceState::Up, lease.is_ok(), "{at}");
        if let Ok(ready) = lease {
            assert_eq!(*ready, successes, "the newest generation serves: {at}");
        }
        assert!(
            fake.calls_most.load(Ordering::SeqCst) <= 1,
            "one call at a time: {at}"
        );
        assert_eq!(
            supervisor.status("healthy").unwrap().state,
            ServiceState::Up,
            "{at}"
        );
        check_path(&of_a(&mut events), &mut phase, &at);
        assert_eq!(phase, status.phase, "no change is lost: {at}");
        seen.steps += 1;
    }
    let at = format!("COFFERDAM_SEED={seed}, in the end");
    if rng.u8(..) < 64 {
        // The service is stopped in the middle of whatever goes on: nothing goes on after that, and all reads down.
        supervisor.shutdown().await;
        check_path(&of_a(&mut events), &mut phase, &at);
        assert!(matches!(phase, Phase::Down | Phase::Disabled), "{at}");
        assert_eq!(fake.calls_now.load(Ordering::SeqCst), 0, "{at}");
        assert!(
            supervisor
                .statuses()
                .iter()
                .all(|status| status.state == ServiceState::Down),
            "{at}"
        );
        seen.shutdowns += 1;
    } else {
        // However it lived: once all is well and it may, it is up within one interval after the call under way.
        *fake.script.lock().unwrap() = Script::default();
        supervisor.enable("a").await;
        asked += usize::from(!enabled);
        pass(secs(31 + 60 + 1)).await;
        assert_eq!(supervisor.status("a").unwrap().state, ServiceState::Up, "{at}");
    }
    // No retry storm: but for what was asked for, no more tries than rests of 0.8 s at least allow.
    let short = fake
        .init_starts
        .lock()
        .unwrap()
        .windows(2)
        .filter(|pair| pair[1] - pair[0] < Duration::from_millis(799))
        .count();
    assert!(short <= asked, "{short} tries too soon, {asked} asked for: {at}");
    let (starts, life_seconds) = (fake.init_count(), healthy.probe_count() * 60);
    assert!(
        starts <= asked * 7 + 20 + life_seconds / 15,
        "{starts} tries in about {life_seconds} s: {at}"
    );
    assert!(healthy.init_count() == 1, "{at}");
    seen.tries += starts;
    seen.probes += fake.probe_count();
    supervisor.shutdown().await;
}

fn of_a(events: &mut tokio::sync::broadcast::Receiver<Event>) -> Vec<Event> {
    let all = drain(events);
    all.into_iter().filter(|event| event.backend() == "a").collect()
}

async fn lives(part: u64) {
    let base = base_seed().wrapping_add(part * LIVES);
    let mut seen = Seen::default();
    for life in 0..LIVES {
        live(base.wrapping_add(life), &mut seen).await;
    }
    let Seen {
        steps,
        tries,
        probes,
        reloads,
        shutdowns,
    } = seen;
    println!(
        "{LIVES} lives, {steps} steps, {tries} initialisations, {probes} probes, {reloads} reloads, {shutdowns} \
         shutdowns in the middle, 0 promises broken"
    );
}

macro_rules! parts {
    ($($name:ident = $part:literal),*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            lives($part).await;
        }
    )*};
}

parts!(
    random_lives_keep_the_promises_1 = 0,
    random_lives_keep_the_promises_2 = 1,
    random_lives_keep_the_promises_3 = 2,
    random_lives_keep_the_promises_4 = 3
);
