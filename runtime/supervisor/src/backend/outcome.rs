//! What follows from the outcome of a call: the next state, the next call, and the event that tells of it.

use std::time::Duration;

use cofferdam_sandbox::Failure;
use tokio::time::Instant;

use super::{Backend, Done};
use crate::driver::Driver;
use crate::events::Event;
use crate::guard::Attempt;
use crate::state::{Input, Reason};

impl<D: Driver> Backend<D> {
    pub(super) fn done(&mut self, done: Done<D::Ready>) {
        let began = self.work.take().map_or_else(Instant::now, |work| work.began);
        match done {
            Done::Initialize(attempt) => self.initialized(attempt, began),
            Done::Probe(Ok(())) => {
                self.backoff.reset();
                self.due = Some(began + self.settings.periodic_interval);
                self.apply(Input::ProbeSucceeded);
            }
            Done::Probe(Err(failure)) => self.probe_failed(&failure, began),
        }
        if std::mem::take(&mut self.again) {
            self.initialize();
        }
    }

    fn initialized(&mut self, attempt: Attempt<D::Ready>, began: Instant) {
        let (now, backend, number) = (self.now(), self.name.clone(), self.state.attempt);
        let initialization = attempt.cost;
        match attempt.result {
            Ok(ready) => {
                self.ready = Some(ready);
                self.next_beat = now.instant + self.settings.report_interval;
                self.due = Some(now.instant + self.until_first_probe());
                self.apply(Input::Initialized(initialization));
                self.emit(Event::InitializeSuccess {
                    backend,
                    at: now.time,
                    attempt: number,
                    initialization,
                });
            }
            Err(failure) => {
                let reason = Reason::from(&failure);
                self.due = self.retry(&failure, began);
                self.apply(Input::InitializeFailed(reason.clone(), initialization));
                let Reason {
                    code,
                    message,
                    remedy,
                } = reason;
                let next_try = self.state.next_try;
                self.emit(Event::InitializeFailure {
                    backend,
                    at: now.time,
                    attempt: number,
                    initialization,
                    code,
                    message,
                    remedy,
                    next_try,
                });
            }
        }
    }

    fn probe_failed(&mut self, failure: &Failure, began: Instant) {
        let reason = Reason::from(failure);
        let (backend, at) = (self.name.clone(), self.now().time);
        let ends = self.state.consecutive_failures.saturating_add(1) >= self.settings.failure_threshold;
        self.due = if ends {
            self.retry(failure, began)
        } else {
            Some(began + self.settings.periodic_interval)
        };
        self.apply(Input::ProbeFailed(reason.clone()));
        let consecutive_failures = self.state.consecutive_failures;
        let Reason {
            code,
            message,
            remedy,
        } = reason;
        self.emit(Event::ProbeFailure {
            backend,
            at,
            consecutive_failures,
            code,
            message,
            remedy,
        });
    }

    /// When to initialise again after a failure, if ever.
    fn retry(&mut self, failure: &Failure, began: Instant) -> Option<Instant> {
        let next = self.backoff.next(failure, began, Instant::now(), &mut self.rng);
        self.settings.periodic_initialization.then_some(next)
    }

    /// Time from a success to the next probe: at random the first time, so that services do not probe in step.
    fn until_first_probe(&mut self) -> Duration {
        let fuzzy = self.settings.periodic_fuzzy_delay;
        if std::mem::replace(&mut self.was_up, true) || fuzzy.is_zero() {
            return self.settings.periodic_interval;
        }
        fuzzy.mul_f64(self.rng.f64())
    }
}
