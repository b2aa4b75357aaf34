//! Random lives of whole supervisors under virtual time: drivers that do anything, commands at any moment, and the
//! promises looked at after each step.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests")]

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cofferdam_sandbox::contract::{DriverError, Throttle};
use cofferdam_sandbox::{Failure, Phase as Call};
use cofferdam_supervisor::{Event, Phase, ServiceState, Settings, Supervisor};
use common::{Act, Fake, Script, base_seed, drain, misconfigured, options, pass, secs, unavailable};

const LIVES: u64 = 2000;

fn any_act(rng: &mut fastrand::Rng) -> Act {
    match rng.u8(0..9) {
        0..=2 => Act::Succeed,
        3 => Act::Fail(unavailable()),
        4 => Act::Fail(misconfigured()),
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
                | (Initializing | Up | Degraded, Down)
                | (_, Disabled)
                | (Disabled, Pending)
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

#[tokio::test(start_paused = true)]
async fn random_lives_keep_the_promises() {
    let base = base_seed();
    let (mut steps, mut tries, mut probes) = (0, 0, 0);
    for life in 0..LIVES {
        let seed = base.wrapping_add(life);
        let mut rng = fastrand::Rng::with_seed(seed);
        let settings = Settings {
            failure_threshold: rng.u32(1..4),
            ..Settings::default()
        };
        let script = Script {
            init: (0..10).map(|_| any_act(&mut rng)).collect(),
            probe: (0..10).map(|_| any_act(&mut rng)).collect(),
            ..Script::default()
        };
        let fake = Fake::scripted(script);
        let healthy = Fake::new(Act::Succeed, Act::Succeed);
        let supervisor = Arc::new(Supervisor::start_with(
            vec![
                ("a".into(), fake.clone(), settings.clone()),
                ("healthy".into(), healthy.clone(), Settings::default()),
            ],
            options(seed),
        ));
        let mut events = supervisor.events();
        let (mut phase, mut asked, mut enabled) = (Phase::Pending, 0_usize, true);
        for step in 0..rng.usize(5..40) {
            let at = format!("COFFERDAM_SEED={seed}, step {step}");
            match rng.u8(0..12) {
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
                _ => {}
            }
            pass(Duration::from_millis(rng.u64(1..90_000))).await;
            let status = supervisor.status("a").unwrap();
            let successes = fake.generation.load(Ordering::SeqCst);
            assert!(
                status.state == ServiceState::Down || successes > 0,
                "never up before the first success: {at}"
            );
            assert_eq!(
                status.state == ServiceState::Up,
                supervisor.lease("a").is_ok(),
                "{at}"
            );
            if let Ok(ready) = supervisor.lease("a") {
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
            check_path(
                &drain(&mut events)
                    .into_iter()
                    .filter(|event| event.backend() == "a")
                    .collect::<Vec<_>>(),
                &mut phase,
                &at,
            );
            assert_eq!(phase, status.phase, "{at}");
            steps += 1;
        }
        // However it lived: once all is well and it may, it is up within one interval after the call under way.
        let at = format!("COFFERDAM_SEED={seed}, in the end");
        {
            let mut script = fake.script.lock().unwrap();
            *script = Script::default();
        }
        supervisor.enable("a").await;
        asked += usize::from(!enabled);
        pass(secs(31 + 60 + 1)).await;
        assert_eq!(supervisor.status("a").unwrap().state, ServiceState::Up, "{at}");
        // No retry storm: but for what was asked for, no more tries than rests of 0.8 s at least allow.
        let short = fake
            .init_starts
            .lock()
            .unwrap()
            .windows(2)
            .filter(|pair| pair[1] - pair[0] < Duration::from_millis(799))
            .count();
        assert!(short <= asked, "{short} tries too soon, {asked} asked for: {at}");
        let (starts, life_seconds) = (fake.init_count(), healthy.probe_starts.lock().unwrap().len() * 60);
        assert!(
            starts <= asked * 7 + 20 + life_seconds / 15,
            "{starts} tries in about {life_seconds} s: {at}"
        );
        assert!(healthy.init_count() == 1);
        tries += starts;
        probes += fake.probe_count();
        supervisor.shutdown().await;
    }
    println!("{LIVES} lives, {steps} steps, {tries} initialisations, {probes} probes");
}
