//! Turns: drivers that compute for long share the processors, and never hold up those that do little.
//!
//! Problem: hundreds of spinning guests, one thread each, starve a healthy one for seconds, whatever their nice value.
//! Solution: fuel makes a guest yield after each slice. The wrapper round the call's future sees that a poll woke
//! itself while guest code ran, which only a used-up slice does. Past a burst of [`BURST`] slices, every further slice
//! needs a permit from one gate for the process, with one permit fewer than there are processors (at least one). A
//! guest that waits for the host needs none, so moving data is never gated.
//! A permit is held while guest code runs and never in a host call, which may block the thread (a hung mount): it is
//! given up on the way in, and on the way out the thread waits for another. So a guest that makes one cheap host
//! call per slice computes no more than its turn.
//! Bound: computing guests together use at most the gate's permits. Cost: one small allocation per call, one
//! uncontended semaphore operation per slice, and two per host call of a guest that computes past its burst.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::ThreadId;

use futures::executor::block_on;
use futures::future::{Either, select};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::task::unconstrained;

use crate::kill::Kill;
use crate::limits::BURST;

/// The process's gate.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Semaphore>);

impl Gate {
    /// A gate for this machine: one permit fewer than the processors that the process may use, at least one.
    pub(crate) fn for_this_machine() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Gate(Arc::new(Semaphore::new(processors.saturating_sub(1).max(1))))
    }

    /// Takes all permits: nobody computes past the burst until the guard is dropped. For the self-test.
    pub(crate) fn close(&self) -> Option<OwnedSemaphorePermit> {
        let all = u32::try_from(self.0.available_permits()).ok()?;
        self.0.clone().try_acquire_many_owned(all).ok()
    }
}

/// The permit that an instance holds while it computes.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    permit: Mutex<Option<OwnedSemaphorePermit>>,
    /// A host call took the permit away: guest code needs another before it goes on.
    owed: AtomicBool,
    in_host: AtomicBool,
}

impl Turn {
    fn hold(&self, permit: Option<OwnedSemaphorePermit>) -> bool {
        let mut held = self.permit.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *held, permit).is_some()
    }

    /// The guest calls the host.
    pub(crate) fn enter_host(&self) {
        self.in_host.store(true, Ordering::Relaxed);
        if self.hold(None) {
            self.owed.store(true, Ordering::Relaxed);
        }
    }

    /// The host call returns to the guest. Blocks the instance's own thread until it may compute on.
    ///
    /// # Errors
    /// [`Killed`] when the instance is killed meanwhile.
    pub(crate) fn leave_host(&self, gate: &Gate, kill: &Kill) -> Result<(), Killed> {
        self.in_host.store(false, Ordering::Relaxed);
        if !self.owed.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let permit = match gate.0.clone().try_acquire_owned() {
            Ok(permit) => Some(permit),
            Err(TryAcquireError::Closed) => None,
            Err(TryAcquireError::NoPermits) => {
                let acquire = pin!(unconstrained(gate.0.clone().acquire_owned()));
                let killed = pin!(unconstrained(kill.killed()));
                match block_on(select(acquire, killed)) {
                    Either::Left((permit, _)) => permit.ok(),
                    Either::Right(_) => return Err(Killed),
                }
            }
        };
        self.hold(permit);
        Ok(())
    }

    /// The slice is over.
    fn end_slice(&self) {
        self.hold(None);
        self.owed.store(false, Ordering::Relaxed);
    }

    fn is_in_host(&self) -> bool {
        self.in_host.load(Ordering::Relaxed)
    }
}

/// Notices whether the thread that polls wakes its own future.
struct SliceWaker {
    thread: ThreadId,
    woke_itself: AtomicBool,
    inner: Waker,
}

impl Wake for SliceWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if std::thread::current().id() == self.thread {
            self.woke_itself.store(true, Ordering::Relaxed);
        }
        self.inner.wake_by_ref();
    }
}

/// The instance was killed while the future ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the instance was ended")]
pub(crate) struct Killed;

/// Runs a guest's future, slice by slice, until it ends or the instance is killed.
pub(crate) async fn take_turns<F: Future>(
    gate: &Gate,
    turn: &Turn,
    kill: &Kill,
    future: F,
) -> Result<F::Output, Killed> {
    let mut future = pin!(future);
    let mut killed = pin!(kill.killed());
    let mut waiting: Option<Pin<Box<dyn Future<Output = _> + Send>>> = None;
    let mut waker: Option<Arc<SliceWaker>> = None;
    let mut slices = 0_u32;
    let mut computing = false;

    std::future::poll_fn(move |context| {
        if kill.is_killed() || killed.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(Killed));
        }
        if computing && slices > BURST {
            let acquire = waiting.get_or_insert_with(|| Box::pin(gate.0.clone().acquire_owned()));
            match acquire.as_mut().poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(permit) => {
                    waiting = None;
                    turn.hold(permit.ok());
                }
            }
        }
        let slice_waker = match waker.take() {
            Some(old) if old.inner.will_wake(context.waker()) => old,
            _ => Arc::new(SliceWaker {
                thread: std::thread::current().id(),
                woke_itself: AtomicBool::new(false),
                inner: context.waker().clone(),
            }),
        };
        slice_waker.woke_itself.store(false, Ordering::Relaxed);
        let answer = {
            let task_waker = Waker::from(slice_waker.clone());
            future.as_mut().poll(&mut Context::from_waker(&task_waker))
        };
        turn.end_slice();
        computing = slice_waker.woke_itself.load(Ordering::Relaxed) && !turn.is_in_host();
        waker = Some(slice_waker);
        if computing {
            slices = slices.saturating_add(1);
        }
        answer.map(Ok)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uses up a slice at each poll, so many times.
    async fn compute(slices: u32) {
        for _ in 0..slices {
            let mut yielded = false;
            std::future::poll_fn(|context| {
                if std::mem::replace(&mut yielded, true) {
                    return Poll::Ready(());
                }
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_gate_holds_up_the_one_that_computes_and_not_the_one_that_waits() {
        let gate = Gate(Arc::new(Semaphore::new(1)));
        let (turn, kill) = (Turn::default(), Kill::new());
        let closed = gate.close().unwrap();
        let short = take_turns(&gate, &turn, &kill, compute(BURST));
        assert_eq!(short.await, Ok(()));
        let waits = take_turns(&gate, &turn, &kill, async {
            for _ in 0..100 {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        });
        assert_eq!(waits.await, Ok(()));
        let mut long = pin!(take_turns(&gate, &turn, &kill, compute(100)));
        let second = std::time::Duration::from_secs(1);
        assert!(tokio::time::timeout(second, long.as_mut()).await.is_err());
        drop(closed);
        assert_eq!(long.await, Ok(()));
    }

    #[tokio::test]
    async fn a_permit_is_not_kept_in_a_host_call_and_is_waited_for_on_the_way_back() {
        let gate = Gate(Arc::new(Semaphore::new(1)));
        let (turn, kill) = (Arc::new(Turn::default()), Arc::new(Kill::new()));
        turn.hold(gate.0.clone().try_acquire_owned().ok());
        turn.enter_host();
        let other = gate.close().expect("the permit is free during the call");
        let thread = std::thread::spawn({
            let (gate, turn, kill) = (gate.clone(), turn.clone(), kill.clone());
            move || turn.leave_host(&gate, &kill)
        });
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(!thread.is_finished(), "the gate is taken");
        drop(other);
        assert_eq!(thread.join().unwrap(), Ok(()));
        assert!(
            gate.close().is_none_or(|all| all.num_permits() == 0),
            "it holds one again"
        );

        turn.enter_host();
        let _other = gate.close();
        kill.kill();
        assert_eq!(turn.leave_host(&gate, &kill), Err(Killed));
        assert_eq!(
            Turn::default().leave_host(&gate, &kill),
            Ok(()),
            "one that owes nothing never waits"
        );
    }

    /// Runs a future that would never end, and kills it from another thread.
    async fn killed<F: Future>(endless: F) -> Result<F::Output, Killed> {
        let gate = Gate(Arc::new(Semaphore::new(1)));
        let (turn, kill) = (Turn::default(), Arc::new(Kill::new()));
        let killer = kill.clone();
        let thread = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(20));
            killer.kill();
        });
        let outcome = take_turns(&gate, &turn, &kill, endless).await;
        thread.join().unwrap();
        outcome
    }

    #[tokio::test]
    async fn a_killed_future_is_dropped_whether_it_computes_or_waits_for_the_host() {
        assert_eq!(killed(compute(u32::MAX)).await, Err(Killed));
        assert_eq!(killed(std::future::pending::<()>()).await, Err(Killed));
    }
}
