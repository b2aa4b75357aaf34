//! One live driver: an OS thread of its own with a single-threaded runtime, a store, and calls one at a time.
//!
//! Problem: whatever a guest does, whoever waits for it must get an answer at the deadline, and nobody else may
//! notice. Solution: the guest lives on its own thread, so file I/O may block there (no thread hop on the data path)
//! and a hung mount holds up nobody else. The waiting side owns the clock: when its timer fires it kills the
//! instance and answers at once; the thread sees the kill at the next slice and drops the future and the store. A
//! thread that is stuck in the kernel is abandoned: it is counted until it comes back.
//! Bound: one thread, one store, one queued call. Cost: 0.1 to 0.2 ms for thread, store and instantiation.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use wasmtime::{CallHook, Store, UpdateDeadline};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::body::Meter;
use crate::contract::Bindings;
use crate::failure::{Failure, Phase};
use crate::host::State;
use crate::kill::Kill;
use crate::limits::{BACKSTOP_GRACE, Limits, SLICE};
use crate::output::Output;
use crate::requirements::Provision;
use crate::sandbox::{Driver, Shared};
use crate::trap;
use crate::turns::{Killed, Turn, take_turns};

/// What one call, or several together, may use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// When the wall clock has run out.
    pub deadline: Instant,
    /// The span that the deadline came from, for messages.
    pub limit: Duration,
    /// Units of fuel left.
    pub fuel: u64,
}

impl Budget {
    /// A budget that begins now.
    pub fn new(limit: Duration, fuel: u64) -> Self {
        Budget {
            deadline: Instant::now() + limit,
            limit,
            fuel,
        }
    }

    /// What is left of it after `used` fuel.
    pub fn less(self, used: u64) -> Self {
        Budget {
            fuel: self.fuel.saturating_sub(used),
            ..self
        }
    }
}

/// What a call used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Units of fuel.
    pub fuel: u64,
    /// The most bytes of guest memory held at once since the instance was made.
    pub peak_memory: u64,
}

/// How long to wait for a call.
#[derive(Debug, Clone)]
pub(crate) enum Patience {
    /// Until the deadline.
    Deadline(Instant, Duration),
    /// As long as bytes move: at most so long without any.
    Stall(Duration, Meter),
}

/// A guest with its store, on its own thread.
pub(crate) struct Guest {
    pub(crate) store: Store<State>,
    pub(crate) bindings: Bindings,
}

type Answered<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;
type Job = Box<dyn for<'a> FnOnce(&'a mut Option<Guest>, &'a Thread) -> Answered<'a> + Send>;

/// What the instance's thread knows besides its guest.
pub(crate) struct Thread {
    shared: Arc<Shared>,
    kill: Arc<Kill>,
    turn: Arc<Turn>,
}

impl Thread {
    async fn take_turns<F: Future>(&self, future: F) -> Result<F::Output, Killed> {
        take_turns(&self.shared.gate, &self.turn, &self.kill, future).await
    }
}

/// What came back from a call into the guest.
pub(crate) struct Answer<R> {
    pub(crate) value: R,
    pub(crate) usage: Usage,
    /// Where the guest wanted to go and was not let.
    pub(crate) denied: Option<String>,
}

/// Handle on a live instance. Dropping it ends the instance.
#[derive(Debug)]
pub struct Instance {
    jobs: mpsc::Sender<Job>,
    kill: Arc<Kill>,
    ending: Arc<Ending>,
    pub(crate) limits: Arc<Limits>,
}

/// Counts a thread from the moment it is told to end until it has ended.
#[derive(Debug)]
pub(crate) struct Ending {
    /// 0: lives, 1: told to end and counted, 2: has ended.
    stage: AtomicUsize,
    counter: Arc<AtomicUsize>,
}

impl Ending {
    fn told(&self) {
        if self
            .stage
            .compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
        {
            self.counter.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn ended(&self) {
        if self.stage.swap(2, Ordering::SeqCst) == 1 {
            self.counter.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Kills the instance unless the call came to its end.
struct KillUnlessDone<'a>(Option<&'a Instance>);

impl Drop for KillUnlessDone<'_> {
    fn drop(&mut self) {
        if let Some(instance) = self.0 {
            instance.end();
        }
    }
}

impl Instance {
    /// Makes an instance: thread, grants, store, instantiation and the guest's start code, all under the budget.
    pub(crate) async fn open(
        shared: &Arc<Shared>,
        driver: &Driver,
        backend: Arc<str>,
        provision: &Provision,
        limits: &Arc<Limits>,
        budget: Budget,
    ) -> Result<(Instance, Usage), Failure> {
        shared.check_clock()?;
        let (jobs, queue) = mpsc::channel(1);
        let kill = Arc::new(Kill::new());
        let ending = Arc::new(Ending {
            stage: AtomicUsize::new(0),
            counter: shared.ending.clone(),
        });
        let thread = Thread {
            shared: shared.clone(),
            kill: kill.clone(),
            turn: Arc::default(),
        };
        let (ended, name) = (ending.clone(), format!("driver {backend}"));
        std::thread::Builder::new()
            .name(name)
            .spawn(move || {
                live(&thread, queue);
                ended.ended();
            })
            .map_err(|error| Failure::Host {
                phase: Phase::Instantiate,
                reason: format!("no thread can be started for the driver: {error}"),
                remedy: "raise the limit of threads of the service".into(),
            })?;
        let instance = Instance {
            jobs,
            kill,
            ending,
            limits: limits.clone(),
        };

        let (pre, provision, limits) = (driver.pre.clone(), provision.clone(), limits.clone());
        let patience = Patience::Deadline(budget.deadline, budget.limit);
        let usage = instance
            .run(Phase::Instantiate, patience, move |slot, thread| {
                Box::pin(async move {
                    let mut store = new_store(thread, &limits, &provision, Output::new(backend, &limits))?;
                    begin_call(&mut store, budget.fuel);
                    thread.kill.arm(backstop(budget.deadline));
                    let made = thread.take_turns(pre.instantiate_async(&mut store)).await;
                    thread.kill.arm(None);
                    let words = store.data().output.last_words();
                    let usage = end_call(&mut store, budget.fuel);
                    match made {
                        Ok(Ok(bindings)) => {
                            *slot = Some(Guest { store, bindings });
                            Ok(usage)
                        }
                        Ok(Err(error)) => Err(trap::explain(error, Phase::Instantiate, budget.fuel, &words)),
                        Err(Killed) => Err(killed(Phase::Instantiate)),
                    }
                })
            })
            .await?;
        Ok((instance, usage))
    }

    /// Whether the instance can take another call.
    pub fn is_alive(&self) -> bool {
        !self.kill.is_killed() && !self.jobs.is_closed()
    }

    /// Ends the instance now, whatever it is doing.
    pub fn end(&self) {
        self.ending.told();
        self.kill.kill();
    }

    /// One call into the guest. `call` starts it; what it answers is the driver's answer.
    pub(crate) async fn call<R: Send + 'static>(
        &self,
        phase: Phase,
        patience: Patience,
        fuel: u64,
        call: impl for<'a> FnOnce(&'a mut Guest) -> Pin<Box<dyn Future<Output = wasmtime::Result<R>> + Send + 'a>>
        + Send
        + 'static,
    ) -> Result<Answer<R>, Failure> {
        let deadline = match &patience {
            Patience::Deadline(deadline, _) => backstop(*deadline),
            Patience::Stall(..) => None,
        };
        self.run(phase, patience, move |slot, thread| {
            Box::pin(async move {
                let Some(guest) = slot.as_mut() else {
                    return Err(killed(phase));
                };
                begin_call(&mut guest.store, fuel);
                thread.kill.arm(deadline);
                let answer = thread.take_turns(call(guest)).await;
                thread.kill.arm(None);
                let words = guest.store.data().output.last_words();
                let usage = end_call(&mut guest.store, fuel);
                let denied = guest.store.data_mut().egress.take_denied();
                let failure = match answer {
                    Ok(Ok(value)) => return Ok(Answer { value, usage, denied }),
                    Ok(Err(error)) => trap::explain(error, phase, fuel, &words),
                    Err(Killed) => killed(phase),
                };
                *slot = None;
                Err(failure)
            })
        })
        .await
    }

    /// Sends a job to the thread and waits for its answer with the given patience. Whatever happens but an answer
    /// ends the instance: a deadline, a lost thread, a caller that goes away.
    async fn run<R: Send + 'static>(
        &self,
        phase: Phase,
        patience: Patience,
        job: impl for<'a> FnOnce(
            &'a mut Option<Guest>,
            &'a Thread,
        ) -> Pin<Box<dyn Future<Output = Result<R, Failure>> + 'a>>
        + Send
        + 'static,
    ) -> Result<R, Failure> {
        let mut guard = KillUnlessDone(Some(self));
        let (answer, answered) = oneshot::channel();
        let boxed: Job = Box::new(move |guest, thread| {
            Box::pin(async move {
                let _ = answer.send(job(guest, thread).await);
            })
        });
        let exchange = async {
            self.jobs.send(boxed).await.ok()?;
            answered.await.ok()
        };
        let result = wait(patience, exchange).await;
        match result {
            Ok(Some(Ok(answer))) => {
                guard.0 = None;
                Ok(answer)
            }
            Ok(Some(Err(failure))) => Err(failure),
            Ok(None) => Err(killed(phase)),
            Err(limit) => Err(Failure::WallTimeout { phase, limit }),
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.end();
    }
}

/// Waits for the exchange; the error is the span that was too long.
async fn wait<T>(patience: Patience, exchange: impl Future<Output = T>) -> Result<T, Duration> {
    match patience {
        Patience::Deadline(deadline, limit) => tokio::time::timeout_at(deadline, exchange)
            .await
            .map_err(|_| limit),
        Patience::Stall(span, meter) => {
            let mut exchange = std::pin::pin!(exchange);
            loop {
                let before = meter.bytes();
                match tokio::time::timeout(span, exchange.as_mut()).await {
                    Ok(answer) => return Ok(answer),
                    Err(_) if meter.bytes() != before => {}
                    Err(_) => return Err(span),
                }
            }
        }
    }
}

fn backstop(deadline: Instant) -> Option<Duration> {
    Some(deadline.saturating_duration_since(Instant::now()) + BACKSTOP_GRACE)
}

fn killed(phase: Phase) -> Failure {
    Failure::Host {
        phase,
        reason: "the instance was ended before the call came to its end".into(),
        remedy: "none needed: a new instance takes its place".into(),
    }
}

/// The life of an instance's thread.
fn live(thread: &Thread, mut queue: mpsc::Receiver<Job>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    runtime.block_on(async {
        let mut guest = None;
        loop {
            let job = tokio::select! {
                biased;
                () = thread.kill.killed() => break,
                job = queue.recv() => job,
            };
            let Some(job) = job else { break };
            job(&mut guest, thread).await;
        }
        drop(guest);
    });
    // Blocking work that hangs in the kernel must not hold the thread's end up.
    runtime.shutdown_background();
}

fn new_store(
    thread: &Thread,
    limits: &Limits,
    provision: &Provision,
    output: Output,
) -> Result<Store<State>, Failure> {
    let mut wasi = WasiCtxBuilder::new();
    wasi.allow_blocking_current_thread(true)
        .max_random_size(limits.random_bytes)
        .stdout(output.clone())
        .stderr(output.clone());
    for directory in &provision.directories {
        let permissions = if directory.write {
            FsPerms::ReadWrite
        } else {
            FsPerms::ReadOnly
        };
        let name = directory.path.to_string_lossy();
        wasi.preopened_dir(&directory.path, &name, permissions)
            .map_err(|error| Failure::Host {
                phase: Phase::Grant,
                reason: format!("directory {name} cannot be opened: {}", error.root_cause()),
                remedy: "make or mount the directory; the backend comes up by itself then".into(),
            })?;
    }
    let state = State::new(
        limits,
        wasi.build(),
        output,
        thread.turn.clone(),
        thread.kill.clone(),
    );
    let mut store = Store::new(&thread.shared.engine, state);
    store.limiter(|state| &mut state.memory);
    store.set_hostcall_fuel(limits.hostcall_bytes);
    store.set_max_component_handles(limits.handles);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|context| {
        Ok(if context.data().kill.must_stop() {
            UpdateDeadline::Interrupt
        } else {
            UpdateDeadline::Continue(1)
        })
    });
    store.call_hook(|context, hook| {
        if matches!(hook, CallHook::CallingHost) {
            context.data().turn.give_up();
        }
        Ok(())
    });
    if thread.shared.slicing {
        store
            .fuel_async_yield_interval(Some(SLICE))
            .map_err(|error| trap::explain(error, Phase::Instantiate, 0, ""))?;
    }
    Ok(store)
}

/// Arms what is armed per call: fuel, epoch, the quota of output.
fn begin_call(store: &mut Store<State>, fuel: u64) {
    // Fuel is on for every store of this engine, so this cannot fail.
    let _ = store.set_fuel(fuel);
    store.set_epoch_deadline(1);
    store.data().output.begin_call();
}

fn end_call(store: &mut Store<State>, fuel: u64) -> Usage {
    store.data().output.end_call();
    let left = store.get_fuel().unwrap_or(0);
    Usage {
        fuel: fuel.saturating_sub(left),
        peak_memory: store.data().memory.peak(),
    }
}
