//! Turns: drivers that compute for long share the processors, and never hold up those that do little.
//!
//! Problem: hundreds of spinning guests, one thread each, starve a healthy one for seconds, whatever their nice value.
//! Solution: each call has credit, in units of fuel, that it computes from without asking anybody. When it is gone,
//! guest code runs only with a permit from one gate for the process, which has one permit fewer than there are
//! processors (at least one). Fuel makes a guest come back to the host after each slice; the permit is given up
//! there and waited for again, first come, first served. Slices are short until the first permit and long from then
//! on, or handing the turn on would take as long as the turn. Credit comes back slowly while the guest waits in the
//! host, and only then, so moving data is never gated.
//! How: wasmtime tells of every way out of guest code and back into it: calls, host calls, used-up slices. A permit is
//! held only in between, never in a host call, which may block the thread (a hung mount). Waiting blocks the
//! instance's own thread; a kill ends it. A thread that computes past its credit stays off the first processor until
//! its call ends: else each change of turns would push the others to another one (measured with ten spinning guests on
//! two processors: 10 to 60 % slower, against 1 to 3 %).
//! Bound: computing guests together use at most the gate's permits, plus [`CREDIT`] for each call, plus [`REFILL`] (0.25 %
//! of a processor) for each that sleeps between its slices. Cost: reading the fuel twice per way out and back, one
//! semaphore operation per slice of those that compute.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use futures::future::{Either, select};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::task::unconstrained;
use wasmtime::{Store, StoreContextMut};

use crate::kill::{Kill, Killed};
use crate::limits::{CREDIT, LONG_SLICE, REFILL};

/// The process's gate.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Semaphore>);

impl Gate {
    /// A gate for this machine: one permit fewer than the processors that the process may use, at least one.
    pub(crate) fn for_this_machine() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Gate(Arc::new(Semaphore::new(processors.saturating_sub(1).max(1))))
    }

    /// Takes all permits: nobody computes past the credit until the guard is dropped. For the self-test.
    pub(crate) fn close(&self) -> Option<OwnedSemaphorePermit> {
        let all = u32::try_from(self.0.available_permits()).ok()?;
        self.0.clone().try_acquire_many_owned(all).ok()
    }

    /// Waits for a permit, on this thread.
    fn pass(&self, kill: &Kill) -> Result<Option<OwnedSemaphorePermit>, Killed> {
        match self.0.clone().try_acquire_owned() {
            Ok(permit) => return Ok(Some(permit)),
            // Nobody closes it; a guest would be let through then.
            Err(TryAcquireError::Closed) => return Ok(None),
            Err(TryAcquireError::NoPermits) => {}
        }
        let acquire = pin!(unconstrained(self.0.clone().acquire_owned()));
        let killed = pin!(unconstrained(kill.killed()));
        match block_on(select(acquire, killed)) {
            Either::Left((permit, _)) => Ok(permit.ok()),
            Either::Right(_) => Err(Killed),
        }
    }
}

/// What one instance has: credit, or a permit while its code runs.
#[derive(Debug)]
pub(crate) struct Turn {
    gate: Gate,
    kill: Arc<Kill>,
    permit: Option<OwnedSemaphorePermit>,
    /// Units of fuel that it may still compute without a permit.
    credit: i64,
    /// When guest code was last left.
    left_guest: Option<Instant>,
    /// The fuel that was there when guest code was last entered.
    fuel: u64,
    /// The processors that its thread may use when it does not compute past its credit.
    home: Option<CpuSet>,
    /// Whether its slices are long by now.
    long: bool,
}

impl Turn {
    pub(crate) fn new(gate: Gate, kill: Arc<Kill>) -> Self {
        Turn {
            gate,
            kill,
            permit: None,
            credit: CREDIT,
            left_guest: None,
            fuel: 0,
            home: None,
            long: false,
        }
    }

    /// Makes the store's guest take turns. `left` is told of every way out of guest code, with the fuel that is left.
    pub(crate) fn install<T>(
        store: &mut Store<T>,
        of: fn(&mut T) -> &mut Turn,
        left: fn(StoreContextMut<'_, T>, u64),
    ) {
        store.call_hook(move |mut context, hook| {
            let fuel = context.get_fuel()?;
            let turn = of(context.data_mut());
            if hook.entering_host() {
                turn.leave_guest(fuel);
                left(context, fuel);
                return Ok(());
            }
            turn.enter_guest(fuel).map_err(wasmtime::Error::new)?;
            // Once, and from short to long: a way back would give fuel to a guest whose code keeps the count in a
            // register meanwhile.
            if turn.permit.is_some() && !std::mem::replace(&mut turn.long, true) {
                context.fuel_async_yield_interval(Some(LONG_SLICE))?;
            }
            Ok(())
        });
    }

    /// A call begins, on the instance's own thread: it has its own credit, and may run anywhere.
    pub(crate) fn begin_call(&mut self) {
        self.credit = CREDIT;
        self.left_guest = None;
        if let Some(home) = self.home.take() {
            // Where that fails it goes on where it is.
            let _ = sched_setaffinity(None, &home);
        }
    }

    /// Keeps this thread off the first processor until the next call, if there are others.
    fn step_aside(&mut self) {
        let Ok(home) = sched_getaffinity(None) else { return };
        let Some(first) = (0..CpuSet::MAX_CPU).find(|cpu| home.is_set(*cpu)) else {
            return;
        };
        let mut others = home;
        others.unset(first);
        if others.count() > 0 && sched_setaffinity(None, &others).is_ok() {
            self.home = Some(home);
        }
    }

    /// Guest code has come back to the host.
    fn leave_guest(&mut self, fuel: u64) {
        let burnt = i64::try_from(self.fuel.saturating_sub(fuel)).unwrap_or(i64::MAX);
        if self.permit.take().is_none() {
            self.credit = self.credit.saturating_sub(burnt);
        }
        // Only who has little left needs to know how long it waits.
        self.left_guest = (self.credit < CREDIT / 2).then(Instant::now);
    }

    /// Guest code goes on, when it may.
    fn enter_guest(&mut self, fuel: u64) -> Result<(), Killed> {
        if let Some(left) = self.left_guest.take() {
            self.credit = CREDIT.min(self.credit.saturating_add(refill(left.elapsed())));
        }
        if self.credit <= 0 {
            if self.home.is_none() {
                self.step_aside();
            }
            self.permit = self.gate.pass(&self.kill)?;
        }
        self.fuel = fuel;
        Ok(())
    }
}

/// The credit that a wait in the host brings.
fn refill(wait: Duration) -> i64 {
    let units = wait.as_nanos().saturating_mul(u128::from(REFILL)) / 1_000_000_000;
    i64::try_from(units).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::SLICE;

    fn turn(gate: &Gate) -> (Turn, Arc<Kill>) {
        let kill = Arc::new(Kill::new());
        (Turn::new(gate.clone(), kill.clone()), kill)
    }

    /// Slices that are computed until the turn has to ask, when there is no permit to be had.
    fn slices_without_a_permit(turn: &mut Turn, kill: &Kill) -> u32 {
        kill.kill();
        let mut slices = 0;
        while turn.enter_guest(SLICE).is_ok() {
            turn.leave_guest(0);
            // As if no time went by in the host.
            turn.left_guest = None;
            slices += 1;
        }
        slices
    }

    #[test]
    fn a_closed_gate_holds_up_the_one_that_computes_past_its_credit() {
        let gate = Gate(Arc::new(Semaphore::new(1)));
        let _closed = gate.close().unwrap();
        let (mut turn, kill) = turn(&gate);
        assert_eq!(slices_without_a_permit(&mut turn, &kill), 2);
    }

    #[test]
    fn the_one_that_waits_in_the_host_gets_its_credit_back_and_no_more() {
        let gate = Gate(Arc::new(Semaphore::new(1)));
        let _closed = gate.close().unwrap();
        let (mut turn, kill) = turn(&gate);
        slices_without_a_permit(&mut turn, &kill);
        turn.left_guest = None;
        assert_eq!(slices_without_a_permit(&mut turn, &kill), 0);
        for (waited, slices) in [(15, 1), (1_000_000, 2)] {
            turn.credit = 0;
            turn.left_guest = Some(Instant::now() - Duration::from_millis(waited));
            turn.enter_guest(SLICE).unwrap();
            turn.leave_guest(0);
            turn.left_guest = None;
            let more = slices_without_a_permit(&mut turn, &kill);
            assert_eq!(1 + more, slices, "{waited} ms");
        }
        assert_eq!(refill(Duration::from_secs(1)), REFILL as i64);
    }

    #[test]
    fn a_permit_is_not_kept_in_the_host_and_is_waited_for_on_the_way_back() {
        let gate = Gate(Arc::new(Semaphore::new(1)));
        let (mut turn, kill) = turn(&gate);
        turn.credit = -CREDIT;
        turn.enter_guest(SLICE).unwrap();
        assert!(
            gate.close().is_none_or(|all| all.num_permits() == 0),
            "it holds one"
        );
        turn.leave_guest(0);
        assert_eq!(
            turn.credit, -CREDIT,
            "what is computed with a permit costs no credit"
        );
        let other = gate.close().expect("the permit is free in the host");
        let thread = std::thread::spawn(move || {
            let entered = turn.enter_guest(SLICE);
            (turn, entered)
        });
        std::thread::sleep(Duration::from_millis(20));
        assert!(!thread.is_finished(), "the gate is taken");
        drop(other);
        let (mut turn, entered) = thread.join().unwrap();
        assert_eq!(entered, Ok(()));
        turn.leave_guest(0);
        let _other = gate.close();
        kill.kill();
        assert_eq!(turn.enter_guest(SLICE), Err(Killed));
    }
}
