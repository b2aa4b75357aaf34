//! When to try again: soon at first, then more and more seldom, but never later than one periodic interval.
//!
//! How: 1 s, 2 s, 4 s, … up to the cap, each drawn at random from 80 % to 120 % of itself and never above the cap,
//! so that a thousand backends which died together do not come back in step. What somebody must mend first is tried
//! at the cap alone. A storage that asks for a pause gets it, up to the cap.
//! Bound: at most one try a second at first, then at most one per 0.8 times the cap.

use std::time::Duration;

use cofferdam_sandbox::contract::DriverError;
use cofferdam_sandbox::{Failure, RetryClass};
use fastrand::Rng;
use tokio::time::Instant;

/// First delay.
const FIRST: Duration = Duration::from_secs(1);

/// How far a delay may lie beside its middle, as a fraction.
const JITTER: f64 = 0.2;

/// After a try that took long, at least this part of the cap passes before the next.
const REST: f64 = 0.25;

/// The delays of one backend.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    cap: Duration,
    step: u32,
}

impl Backoff {
    pub(crate) fn new(cap: Duration) -> Self {
        Backoff { cap, step: 0 }
    }

    /// Begins again at the first delay: the backend has proved itself, or somebody asked for a try.
    pub(crate) fn reset(&mut self) {
        self.step = 0;
    }

    /// How long to wait after this failure.
    pub(crate) fn delay(&mut self, failure: &Failure, rng: &mut Rng) -> Duration {
        let middle = match failure.retry_class() {
            RetryClass::Retry => {
                let middle = FIRST
                    .saturating_mul(2_u32.saturating_pow(self.step))
                    .min(self.cap);
                self.step = self.step.saturating_add(1);
                middle
            }
            RetryClass::Repair | RetryClass::Final => self.cap,
        };
        let least = middle.mul_f64(1.0 - JITTER);
        let most = middle.mul_f64(1.0 + JITTER).min(self.cap);
        let drawn = least + most.saturating_sub(least).mul_f64(rng.f64());
        drawn.max(asked_pause(failure)).min(self.cap)
    }

    /// When to try again after a try from `began` to `ended`: after the delay, but not later than one cap after the
    /// try began, so that a repair made meanwhile is seen within the interval; and with a rest all the same when the
    /// try itself took about that long.
    pub(crate) fn next(
        &mut self,
        failure: &Failure,
        began: Instant,
        ended: Instant,
        rng: &mut Rng,
    ) -> Instant {
        let latest = (began + self.cap).max(ended + self.cap.mul_f64(REST));
        (ended + self.delay(failure, rng)).min(latest)
    }
}

/// How long the storage asked to be left alone.
fn asked_pause(failure: &Failure) -> Duration {
    match failure {
        Failure::Driver {
            error: DriverError::Throttled(throttle),
            ..
        } => Duration::from_millis(throttle.retry_after.unwrap_or(0).into()),
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_sandbox::Phase;
    use cofferdam_sandbox::contract::{InvalidOption, Throttle};

    use super::*;

    const CAP: Duration = Duration::from_secs(60);

    fn unavailable() -> Failure {
        Failure::Driver {
            phase: Phase::DoSetup,
            error: DriverError::Unavailable("gone".into()),
        }
    }

    fn secs(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn delays_double_from_one_second_to_the_cap_and_never_pass_it() {
        let mut at_cap = Duration::ZERO;
        for seed in 0..1000 {
            let (mut rng, mut backoff) = (Rng::with_seed(seed), Backoff::new(CAP));
            for middle in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0] {
                let delay = backoff.delay(&unavailable(), &mut rng);
                let about = secs(middle * 0.8)..=secs(middle * 1.2);
                assert!(about.contains(&delay), "seed {seed}: {delay:?}");
            }
            for _ in 0..100 {
                let delay = backoff.delay(&unavailable(), &mut rng);
                assert!(delay >= secs(48.0) && delay <= CAP, "seed {seed}: {delay:?}");
                at_cap += delay;
            }
            backoff.reset();
            let delay = backoff.delay(&unavailable(), &mut rng);
            assert!(delay <= secs(1.2), "seed {seed}: {delay:?}");
        }
        let mean = at_cap / 100_000;
        assert!(
            mean > secs(53.9) && mean < secs(54.1),
            "spread evenly below the cap: {mean:?}"
        );
    }

    #[test]
    fn what_must_be_mended_waits_for_about_the_cap_at_once() {
        let option = InvalidOption {
            option_name: "x".into(),
            reason: "wrong".into(),
        };
        for seed in 0..1000 {
            let (mut rng, mut backoff) = (Rng::with_seed(seed), Backoff::new(CAP));
            for error in [
                DriverError::InvalidConfiguration(option.clone()),
                DriverError::Unsupported("no".into()),
            ] {
                let delay = backoff.delay(
                    &Failure::Driver {
                        phase: Phase::DoSetup,
                        error,
                    },
                    &mut rng,
                );
                assert!(delay >= secs(48.0) && delay <= CAP, "seed {seed}: {delay:?}");
            }
        }
    }

    #[test]
    fn a_pause_that_the_storage_asks_for_is_kept_up_to_the_cap() {
        let throttled = |millis| Failure::Driver {
            phase: Phase::DoSetup,
            error: DriverError::Throttled(Throttle {
                retry_after: millis,
                reason: "slow down".into(),
            }),
        };
        let (mut rng, mut backoff) = (Rng::with_seed(1), Backoff::new(CAP));
        assert_eq!(backoff.delay(&throttled(Some(20_000)), &mut rng), secs(20.0));
        assert_eq!(backoff.delay(&throttled(Some(u32::MAX)), &mut rng), CAP);
        assert!(backoff.delay(&throttled(None), &mut rng) <= secs(4.8));
    }

    #[test]
    fn a_cap_below_one_second_is_kept() {
        let cap = Duration::from_millis(100);
        let (mut rng, mut backoff) = (Rng::with_seed(1), Backoff::new(cap));
        for _ in 0..100 {
            let delay = backoff.delay(&unavailable(), &mut rng);
            assert!(delay >= cap.mul_f64(0.8) && delay <= cap, "{delay:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_try_is_counted_from_the_begin_of_a_long_one_and_still_leaves_a_rest() {
        let (mut rng, mut backoff) = (Rng::with_seed(1), Backoff::new(CAP));
        let began = Instant::now();
        for _ in 0..20 {
            backoff.delay(&unavailable(), &mut rng);
        }
        let next = backoff.next(&unavailable(), began, began + secs(30.0), &mut rng);
        assert_eq!(next - began, CAP);
        let next = backoff.next(&unavailable(), began, began + secs(90.0), &mut rng);
        assert_eq!(next - began, secs(105.0));
    }
}
