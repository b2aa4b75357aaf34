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
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use wasmtime::{AsContextMut, Store, StoreContextMut, UpdateDeadline};
use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::budget::{Budget, Usage};
use crate::contract::{Bindings, Later};
use crate::egress::dial::Dialer;
use crate::egress::tls::Tls;
use crate::egress::{Denials, Egress};
use crate::failure::{Failure, Phase};
use crate::host::State;
use crate::kill::{Kill, Killed};
use crate::limits::{BACKSTOP_GRACE, Limits, SLICE};
use crate::network::Denial;
use crate::output::Output;
use crate::requirements::Provision;
use crate::sandbox::{Driver, Shared};
use crate::secrets::{Scrubber, Vault};
use crate::stall::Stall;
use crate::trap;
use crate::turns::Turn;

/// A guest with its store, on its own thread.
pub(crate) struct Guest {
    pub(crate) store: Store<State>,
    pub(crate) bindings: Bindings,
    /// What a later contract adds, if the driver has it.
    pub(crate) later: Option<Later>,
}

/// Instantiates a driver and finds its exports.
async fn instantiate(
    driver: &Driver,
    store: &mut Store<State>,
) -> wasmtime::Result<(Bindings, Option<Later>)> {
    let instance = driver.pre.instantiate_async(&mut *store).await?;
    let bindings = driver.exports.load(&mut *store, &instance)?;
    let later = driver
        .later
        .as_ref()
        .map(|later| later.load(&mut *store, &instance));
    Ok((bindings, later.transpose()?))
}

type Answered<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;
type Job = Box<dyn for<'a> FnOnce(&'a mut Option<Guest>, &'a Thread) -> Answered<'a> + Send>;

/// What the instance's thread knows besides its guest.
pub(crate) struct Thread {
    shared: Arc<Shared>,
    kill: Arc<Kill>,
}

/// What came back from a call into the guest.
pub(crate) struct Answer<R> {
    pub(crate) value: R,
    /// Where the guest wanted to go and was not let.
    pub(crate) denied: Option<Denial>,
}

/// Handle on a live instance. Dropping it ends the instance.
#[derive(Debug)]
pub struct Instance {
    jobs: mpsc::Sender<Job>,
    kill: Arc<Kill>,
    ending: Arc<Ending>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) scrubber: Scrubber,
    /// Of the newest call that had a budget of its own.
    last: Mutex<Option<Budget>>,
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
        budget: &Budget,
    ) -> Result<Instance, Failure> {
        shared.check_clock().await?;
        let (jobs, queue) = mpsc::channel(1);
        let kill = Arc::new(Kill::new());
        let ending = Arc::new(Ending {
            stage: AtomicUsize::new(0),
            counter: shared.ending.clone(),
        });
        let thread = Thread {
            shared: shared.clone(),
            kill: kill.clone(),
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
            scrubber: Scrubber::new(&provision.secrets),
            last: Mutex::default(),
        };

        let (driver, provision, limits) = (driver.clone(), provision.clone(), limits.clone());
        let own = budget.clone();
        instance
            .run(Phase::Instantiate, budget, None, move |slot, thread| {
                Box::pin(async move {
                    let mut store = new_store(thread, backend, &limits, &provision)?;
                    let fuel = begin_call(&mut store, &own, Some(own.deadline()));
                    thread.kill.arm(backstop(own.deadline()));
                    let made = thread.kill.or(instantiate(&driver, &mut store)).await;
                    thread.kill.arm(None);
                    let words = store.data().output.last_words();
                    end_call(&mut store);
                    match made {
                        Ok(Ok((bindings, later))) => {
                            *slot = Some(Guest {
                                store,
                                bindings,
                                later,
                            });
                            Ok(())
                        }
                        Ok(Err(error)) => Err(trap::explain(error, Phase::Instantiate, fuel, &words)),
                        Err(Killed) => Err(killed(Phase::Instantiate)),
                    }
                })
            })
            .await?;
        Ok(instance)
    }

    /// The budget of a call that no other covers.
    pub(crate) fn budget(&self) -> Budget {
        let budget = Budget::new(self.limits.call_timeout, self.limits.call_fuel);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(budget.clone());
        budget
    }

    /// What the newest call has used that was given no budget: of an object or a container.
    pub fn last_used(&self) -> Usage {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().map(Budget::used).unwrap_or_default()
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

    /// One call into the guest. `call` starts it; what it answers is the driver's answer. With `stall` the call may
    /// take as long as bytes move, whatever the budget's deadline.
    pub(crate) async fn call<R: Send + 'static>(
        &self,
        phase: Phase,
        budget: &Budget,
        stall: Option<Stall>,
        call: impl for<'a> FnOnce(&'a mut Guest) -> Pin<Box<dyn Future<Output = wasmtime::Result<R>> + Send + 'a>>
        + Send
        + 'static,
    ) -> Result<Answer<R>, Failure> {
        let deadline = stall.is_none().then(|| budget.deadline());
        let own = budget.clone();
        self.run(phase, budget, stall, move |slot, thread| {
            Box::pin(async move {
                let Some(guest) = slot.as_mut() else {
                    return Err(killed(phase));
                };
                let fuel = begin_call(&mut guest.store, &own, deadline);
                thread.kill.arm(deadline.and_then(backstop));
                let answer = thread.kill.or(call(guest)).await;
                thread.kill.arm(None);
                let words = guest.store.data().output.last_words();
                end_call(&mut guest.store);
                let denied = guest.store.data_mut().egress.take_denied();
                let failure = match answer {
                    Ok(Ok(value)) => return Ok(Answer { value, denied }),
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
        budget: &Budget,
        stall: Option<Stall>,
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
        let result = match stall {
            None => tokio::time::timeout_at(budget.deadline(), exchange)
                .await
                .map_err(|_| Failure::WallTimeout {
                    phase,
                    limit: budget.limit(),
                }),
            Some(stall) => stall.wait(phase, exchange).await,
        };
        match result {
            Ok(Some(Ok(answer))) => {
                guard.0 = None;
                Ok(answer)
            }
            Ok(Some(Err(failure))) => Err(failure),
            Ok(None) => Err(killed(phase)),
            Err(failure) => Err(failure),
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.end();
    }
}

fn backstop(deadline: Instant) -> Option<Duration> {
    Some(deadline.saturating_duration_since(Instant::now()) + BACKSTOP_GRACE)
}

pub(crate) fn killed(phase: Phase) -> Failure {
    Failure::Host {
        phase,
        reason: "the instance was ended before the call came to its end".into(),
        remedy: "none needed: a new instance takes its place".into(),
    }
}

/// Threads of an instance that may wait for the system's resolver at once.
const LOOKUPS: usize = 4;

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(LOOKUPS)
        .enable_all()
        .build()
}

/// The life of an instance's thread.
fn live(thread: &Thread, mut queue: mpsc::Receiver<Job>) {
    let Ok(runtime) = runtime() else {
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
    backend: Arc<str>,
    limits: &Limits,
    provision: &Provision,
) -> Result<Store<State>, Failure> {
    let output = Output::new(backend.clone(), limits, Scrubber::new(&provision.secrets));
    let (egress, vault) = way_out(thread, &backend, limits, provision)?;
    let mut wasi = WasiCtxBuilder::new();
    allow_granted_tcp(&mut wasi, &egress);
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
    let turn = Turn::new(thread.shared.gate.clone(), thread.kill.clone());
    let kill = thread.kill.clone();
    let state = State::new(limits, wasi.build(), output, turn, kill, (egress, vault));
    let mut store = Store::new(&thread.shared.engine, state);
    store.limiter(|state| &mut state.memory);
    store.set_hostcall_fuel(limits.hostcall_bytes);
    store.set_max_component_handles(limits.handles);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut context| {
        let fuel = context.get_fuel()?;
        charge(context.as_context_mut(), fuel);
        Ok(if context.data().kill.must_stop() {
            UpdateDeadline::Interrupt
        } else {
            UpdateDeadline::Continue(1)
        })
    });
    Turn::install(&mut store, |state| &mut state.turn, charge);
    store
        .fuel_async_yield_interval(Some(SLICE))
        .map_err(|error| trap::explain(error, Phase::Instantiate, 0, ""))?;
    Ok(store)
}

/// The instance's secrets, and its way to the network.
fn way_out(
    thread: &Thread,
    backend: &str,
    limits: &Limits,
    provision: &Provision,
) -> Result<(Egress, Arc<Vault>), Failure> {
    let shared = &thread.shared;
    let vault = Arc::new(Vault::new(provision.secrets.clone(), provision.reveal.clone()));
    let tls = Tls::new(&provision.tls, shared.roots.clone())?;
    let dialer = Dialer::new(shared.resolver.clone(), tls, provision.proxies.clone());
    let denials = Denials::new(shared.denials_of(backend));
    let egress = Egress::new(provision.policy.clone(), vault.clone(), dialer, denials, limits);
    Ok((egress, vault))
}

/// Raw sockets: TCP connections to granted addresses; everything else is denied.
fn allow_granted_tcp(wasi: &mut WasiCtxBuilder, egress: &Egress) {
    let gateway = egress.gateway.clone();
    wasi.allow_tcp(true).allow_udp(false).allow_ip_name_lookup(false);
    wasi.socket_addr_check(move |address, wanted| {
        let admitted = match wanted {
            SocketAddrUse::TcpConnect => gateway.policy.admit_tcp(address),
            // What the system does by itself for a socket that is about to connect.
            SocketAddrUse::TcpBind if address.ip().is_unspecified() && address.port() == 0 => Ok(()),
            _ => Err(Denial {
                wanted: format!("to listen or bind at {address}"),
                grant: String::new(),
            }),
        };
        let good = admitted.map_err(|denial| gateway.denials.note(denial)).is_ok();
        Box::pin(async move { good })
    });
}

/// Arms what is armed per call: fuel, epoch, the quota of output, the time of requests. Says how much fuel the call has.
fn begin_call(store: &mut Store<State>, budget: &Budget, deadline: Option<Instant>) -> u64 {
    let meter = budget.meter();
    let fuel = meter.given();
    // Fuel is on for every store of this engine, so this cannot fail.
    let _ = store.set_fuel(fuel);
    store.set_epoch_deadline(1);
    store.data_mut().meter = meter;
    store.data_mut().turn.begin_call();
    store.data().output.begin_call();
    store.data().egress.begin_call(deadline);
    fuel
}

fn end_call(store: &mut Store<State>) {
    store.data().output.end_call();
    // Fuel is on for every store of this engine, so this cannot fail.
    let fuel = store.get_fuel().unwrap_or_default();
    charge(store.as_context_mut(), fuel);
}

/// Charges what the call has used so far.
fn charge(context: StoreContextMut<'_, State>, fuel: u64) {
    let state = context.data();
    state.meter.charge(fuel, state.memory.peak());
}
