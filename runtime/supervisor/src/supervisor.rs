//! All backends together: start, look, lease, command, stop.
//!
//! How: a handle per backend holds the receiving end of what its task publishes and the sending end of its commands.
//! Backends come, change and go while the service runs ([`Supervisor::add`], `configure`, `remove`).
//! Bound: no call here waits for a driver; `shutdown` ends within [`SHUTDOWN`]. Cost: a look is a short read lock on
//! the list and one that only the one task writes; finding a backend by name is a walk over the list.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use cofferdam_sandbox::Failure;
use fastrand::Rng;
use jiff::Timestamp;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::backend::{Backend, Command, Parts, Published, QUEUE};
use crate::driver::Driver;
use crate::events::Event;
use crate::pace::Pace;
use crate::settings::Settings;
use crate::state::Ending;
use crate::status::Status;

/// Longest time that a shutdown waits for all tasks together.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// Where the wall-clock time that is shown comes from.
pub type WallClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What a supervisor takes from outside.
#[derive(Clone)]
pub struct Options {
    /// Wall clock, for what is shown; nothing is decided by it.
    pub clock: WallClock,
    /// Seed of all jitter; `None`: a random one.
    pub seed: Option<u64>,
    /// Events that a slow receiver may be behind before it loses the oldest.
    pub event_capacity: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            clock: Arc::new(Timestamp::now),
            seed: None,
            event_capacity: 1024,
        }
    }
}

/// A backend that cannot be used now, or that there is none of the name.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("backend {} is {}{}", .status.name, .status.state, .status.message.as_ref().map(|m| format!(": {m}")).unwrap_or_default())]
pub struct NotUp {
    /// Its status, with the reason.
    pub status: Box<Status>,
}

/// Supervises the backends of one service.
pub struct Supervisor<D: Driver> {
    backends: RwLock<Vec<Arc<Handle<D>>>>,
    events: broadcast::Sender<Event>,
    options: Options,
    rng: Mutex<Rng>,
    pace: Pace,
}

struct Handle<D: Driver> {
    name: String,
    published: watch::Receiver<Published<D::Ready>>,
    commands: mpsc::Sender<Command<D>>,
    stop: watch::Sender<Option<Ending>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl<D: Driver> Supervisor<D> {
    /// Begins to initialise every backend, and to supervise it from then on. Does not wait. Of two backends of one
    /// name only the first is used. To be called within a tokio runtime.
    pub fn start(backends: Vec<(String, Arc<D>, Settings)>) -> Self {
        Self::start_with(backends, Options::default())
    }

    /// The same with a clock, a seed and a channel size of one's own.
    pub fn start_with(backends: Vec<(String, Arc<D>, Settings)>, options: Options) -> Self {
        let (events, _) = broadcast::channel(options.event_capacity.clamp(1, 1 << 20));
        let rng = options.seed.map_or_else(Rng::new, Rng::with_seed);
        let supervisor = Supervisor {
            backends: RwLock::default(),
            events,
            options,
            rng: Mutex::new(rng),
            pace: Pace::new(),
        };
        for (name, driver, settings) in backends {
            if !supervisor.add(&name, driver, settings) {
                tracing::error!(backend = %name, "a second backend of this name is ignored");
            }
        }
        supervisor
    }

    /// Begins to initialise and supervise one more backend. Answers whether the name was free.
    pub fn add(&self, name: &str, driver: Arc<D>, settings: Settings) -> bool {
        let mut backends = self.backends.write().unwrap_or_else(PoisonError::into_inner);
        if backends.iter().any(|handle| handle.name == name) {
            return false;
        }
        let (sender, commands) = mpsc::channel(QUEUE);
        let (stop, stopped) = watch::channel(None);
        let (backend, published) = Backend::new(Parts {
            name: name.to_owned(),
            driver,
            settings: settings.bounded(),
            commands,
            stop: stopped,
            events: self.events.clone(),
            clock: self.options.clock.clone(),
            pace: self.pace.clone(),
            rng: self.rng.lock().unwrap_or_else(PoisonError::into_inner).fork(),
        });
        backends.push(Arc::new(Handle {
            name: name.to_owned(),
            published,
            commands: sender,
            stop,
            task: Mutex::new(Some(tokio::spawn(backend.run()))),
        }));
        true
    }

    /// Gives a backend another driver or other settings: it is initialised with them at once, and the generation that
    /// works serves on until the outcome. Answers as [`Self::reinitialize`].
    pub async fn configure(&self, name: &str, driver: Arc<D>, settings: Settings) -> bool {
        self.command(name, Command::Configure(driver, settings.bounded()))
            .await
    }

    /// Supervises a backend no longer. Leases that are out stay usable until they are given back; there are no new
    /// ones. Waits for its task, which drops what is under way. Answers whether there was such a backend.
    pub async fn remove(&self, name: &str) -> bool {
        let handle = {
            let mut backends = self.backends.write().unwrap_or_else(PoisonError::into_inner);
            let at = backends.iter().position(|handle| handle.name == name);
            at.map(|at| backends.remove(at))
        };
        match handle {
            Some(handle) => {
                handle.end(Ending::Removed, Instant::now() + SHUTDOWN).await;
                true
            }
            None => false,
        }
    }

    fn handles(&self) -> Vec<Arc<Handle<D>>> {
        self.backends
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn handle(&self, name: &str) -> Option<Arc<Handle<D>>> {
        let backends = self.backends.read().unwrap_or_else(PoisonError::into_inner);
        backends.iter().find(|handle| handle.name == name).cloned()
    }

    /// A backend's status now; `None` when there is none of that name.
    pub fn status(&self, name: &str) -> Option<Status> {
        self.handle(name).map(|handle| handle.status())
    }

    /// All statuses now, in the order in which the backends were given.
    pub fn statuses(&self) -> Vec<Status> {
        self.handles().iter().map(|handle| handle.status()).collect()
    }

    /// The present generation of a backend that reads up. It stays usable for as long as it is held, also when a new
    /// one takes its place.
    ///
    /// # Errors
    /// [`NotUp`] at once, with the status that holds the reason.
    pub fn lease(&self, name: &str) -> Result<Arc<D::Ready>, NotUp> {
        let handle = self.handle(name).ok_or_else(|| NotUp {
            status: Box::new(unknown(name)),
        })?;
        let published = handle.published.borrow();
        match &published.ready {
            Some(ready) if published.state.is_up(Instant::now()) => Ok(ready.clone()),
            _ => Err(NotUp {
                status: Box::new(Status::of(name, &published.state, Instant::now())),
            }),
        }
    }

    /// Waits until the first initialisation of a backend has an outcome, or there will be none.
    pub async fn settled(&self, name: &str) {
        if let Some(handle) = self.handle(name) {
            // An error says that its task has ended: nothing more will come.
            let _ = handle
                .published
                .clone()
                .wait_for(|published| published.state.settled)
                .await;
        }
    }

    /// Follows a backend's status; `None` when there is none of that name.
    pub fn watch(&self, name: &str) -> Option<StatusWatch<D>> {
        let handle = self.handle(name)?;
        Some(StatusWatch {
            name: handle.name.clone(),
            published: handle.published.clone(),
        })
    }

    /// Events of all backends from now on. A receiver that falls behind loses the oldest and is told so.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Initialises a backend again now, whatever its phase and settings, unless it is disabled. One that works serves
    /// on until the outcome. Asked for while an initialisation is under way, a new one follows it. Answers whether
    /// there is such a backend and its task took the command; does not wait for the outcome.
    pub async fn reinitialize(&self, name: &str) -> bool {
        self.command(name, Command::Reinitialize).await
    }

    /// Switches a backend off: what is under way is dropped, leases are refused, nothing is tried until
    /// [`Self::enable`]. `reason` is shown as the message. Answers as [`Self::reinitialize`].
    pub async fn disable(&self, name: &str, reason: &str) -> bool {
        self.command(name, Command::Disable(reason.to_owned())).await
    }

    /// Switches a disabled backend on again: it is initialised at once. Answers as [`Self::reinitialize`].
    pub async fn enable(&self, name: &str) -> bool {
        self.command(name, Command::Enable).await
    }

    async fn command(&self, name: &str, command: Command<D>) -> bool {
        match self.handle(name) {
            Some(handle) => handle.commands.send(command).await.is_ok(),
            None => false,
        }
    }

    /// An operation saw a failure which says that the backend may be gone: it is probed at once, at most once a
    /// second. Never waits.
    pub fn report_failure(&self, name: &str, failure: Failure) {
        if let Some(handle) = self.handle(name) {
            // A full queue holds other reports, or commands that settle the matter.
            let _ = handle.commands.try_send(Command::Report(failure));
        }
    }

    /// Stops: calls that are under way are dropped, all backends read down. Ends within five seconds; a second call
    /// has nothing to wait for.
    pub async fn shutdown(&self) {
        let handles = self.handles();
        for handle in &handles {
            handle.stop.send_replace(Some(Ending::Stopped));
        }
        let deadline = Instant::now() + SHUTDOWN;
        for handle in handles {
            handle.end(Ending::Stopped, deadline).await;
        }
    }
}

impl<D: Driver> Handle<D> {
    /// Ends the backend's task and waits for it until the deadline.
    async fn end(&self, ending: Ending, deadline: Instant) {
        self.stop.send_replace(Some(ending));
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut task) = task else { return };
        match timeout_at(deadline, &mut task).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(backend = %self.name, %error, "the backend's task broke"),
            Err(_) => {
                tracing::error!(backend = %self.name, "the backend's task did not end in time");
                task.abort();
            }
        }
    }

    fn status(&self) -> Status {
        Status::of(&self.name, &self.published.borrow().state, Instant::now())
    }
}

/// The status of a backend that does not exist.
fn unknown(name: &str) -> Status {
    Status::down(
        name,
        "unknown-backend",
        format!("there is no backend {name:?}"),
        "use one that is configured, or configure it",
    )
}

/// Follows one backend's status.
pub struct StatusWatch<D: Driver> {
    name: String,
    published: watch::Receiver<Published<D::Ready>>,
}

impl<D: Driver> StatusWatch<D> {
    /// The status now.
    pub fn status(&self) -> Status {
        Status::of(&self.name, &self.published.borrow().state, Instant::now())
    }

    /// Waits for the next change, heartbeats included, and gives the newest status; `None` when the task has ended
    /// and its last status was seen. Changes that come faster than they are read are seen as one.
    pub async fn changed(&mut self) -> Option<Status> {
        self.published.changed().await.ok()?;
        Some(Status::of(
            &self.name,
            &self.published.borrow_and_update().state,
            Instant::now(),
        ))
    }
}
