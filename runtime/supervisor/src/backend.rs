//! The task of one backend: `init_host`, then a probe or a new try whenever one is due, until the service ends.
//!
//! How: one loop over what can happen (heartbeat due, call ended, next call due, command, stop). The call to the
//! driver is one boxed future that the loop polls beside all else, so a call that hangs stops neither heartbeats nor
//! commands. There is one place for that future: two calls at once cannot be. State and generation are published
//! together, so whoever reads `up` finds the generation there. A generation is published exactly while the phase is
//! `up` or `degraded`.
//! Bound: no lock shared with another backend; commands in a queue of 16. Cost: one task and one timer at a time.

mod outcome;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_sandbox::Failure;
use fastrand::Rng;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::backoff::Backoff;
use crate::driver::Driver;
use crate::events::{Event, emit};
use crate::guard::{self, Attempt};
use crate::pace::Pace;
use crate::settings::Settings;
use crate::state::{Applied, Ending, Input, Moment, Phase, State};
use crate::status::ServiceState;
use crate::supervisor::WallClock;

/// Commands that may wait.
pub(crate) const QUEUE: usize = 16;

/// Least time between the beginnings of two probes, however many failures are reported.
const PROBE_SPACING: Duration = Duration::from_secs(1);

/// What a backend can be told.
pub(crate) enum Command<D> {
    Reinitialize,
    Configure(Arc<D>, Settings),
    Disable(String),
    Enable,
    Report(Failure),
}

/// What readers see.
pub(crate) struct Published<R> {
    pub(crate) state: State,
    pub(crate) ready: Option<Arc<R>>,
}

/// How a call ended.
enum Done<R> {
    Initialize(Attempt<R>),
    Probe(Result<(), Failure>),
}

/// A call that is under way.
struct Work<R> {
    began: Instant,
    initializes: bool,
    future: Pin<Box<dyn Future<Output = Done<R>> + Send>>,
}

/// One backend.
pub(crate) struct Backend<D: Driver> {
    name: String,
    driver: Arc<D>,
    settings: Settings,
    published: watch::Sender<Published<D::Ready>>,
    commands: mpsc::Receiver<Command<D>>,
    stop: watch::Receiver<Option<Ending>>,
    events: broadcast::Sender<Event>,
    clock: WallClock,
    pace: Pace,
    rng: Rng,
    state: State,
    ready: Option<Arc<D::Ready>>,
    work: Option<Work<D::Ready>>,
    backoff: Backoff,
    /// When the next call is due; `None`: none by itself.
    due: Option<Instant>,
    next_beat: Instant,
    last_probe_began: Option<Instant>,
    /// A new initialisation was asked for while one was under way.
    again: bool,
    was_up: bool,
}

/// What a backend is made of.
pub(crate) struct Parts<D: Driver> {
    pub(crate) name: String,
    pub(crate) driver: Arc<D>,
    pub(crate) settings: Settings,
    pub(crate) commands: mpsc::Receiver<Command<D>>,
    pub(crate) stop: watch::Receiver<Option<Ending>>,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) clock: WallClock,
    pub(crate) pace: Pace,
    pub(crate) rng: Rng,
}

impl<D: Driver> Backend<D> {
    pub(crate) fn new(parts: Parts<D>) -> (Self, watch::Receiver<Published<D::Ready>>) {
        let now = Moment {
            instant: Instant::now(),
            time: (parts.clock)(),
        };
        let state = State::new(&parts.settings, now);
        let (published, readers) = watch::channel(Published {
            state: state.clone(),
            ready: None,
        });
        let backend = Backend {
            name: parts.name,
            driver: parts.driver,
            backoff: Backoff::new(parts.settings.periodic_interval),
            settings: parts.settings,
            published,
            commands: parts.commands,
            stop: parts.stop,
            events: parts.events,
            clock: parts.clock,
            pace: parts.pace,
            rng: parts.rng,
            state,
            ready: None,
            work: None,
            due: Some(now.instant),
            next_beat: now.instant,
            last_probe_began: None,
            again: false,
            was_up: false,
        };
        (backend, readers)
    }

    /// Runs until the supervisor stops it or is gone.
    pub(crate) async fn run(mut self) {
        let ending = loop {
            let due = self.due.unwrap_or_else(Instant::now);
            // In this order: a flood of commands cannot keep a heartbeat or an outcome from being seen.
            tokio::select! {
                biased;
                ending = stopped(&mut self.stop) => break ending,
                () = sleep_until(self.next_beat), if self.state.phase.works() => self.beat(),
                done = ended(&mut self.work) => self.done(done),
                () = sleep_until(due), if self.due.is_some() && self.work.is_none() => self.begin(),
                Some(command) = self.commands.recv() => self.command(command),
            }
        };
        self.drop_work();
        self.apply(Input::Stop(ending));
    }

    fn now(&self) -> Moment {
        Moment {
            instant: Instant::now(),
            time: (self.clock)(),
        }
    }

    /// Takes in what happened, publishes, then tells. Whoever hears of an event finds the status at least as new.
    fn apply(&mut self, input: Input) -> Applied {
        let now = self.now();
        let applied = self.state.apply(input, now);
        if !self.state.phase.works() {
            self.ready = None;
        }
        self.state.next_try = self.due.filter(|_| self.work.is_none()).and_then(|due| {
            let wait = due.saturating_duration_since(now.instant);
            now.time.checked_add(wait).ok()
        });
        self.published.send_replace(Published {
            state: self.state.clone(),
            ready: self.ready.clone(),
        });
        if let Applied::Moved(from, to) = applied {
            let reason = self.state.reason.clone();
            let state = if self.state.is_up(now.instant) {
                ServiceState::Up
            } else {
                ServiceState::Down
            };
            self.emit(Event::State {
                backend: self.name.clone(),
                at: now.time,
                from,
                to,
                state,
                code: reason.as_ref().map(|reason| reason.code.clone()),
                message: reason.as_ref().map(|reason| reason.message.clone()),
                remedy: reason.map(|reason| reason.remedy),
            });
        }
        applied
    }

    fn emit(&self, event: Event) {
        emit(&self.events, event);
    }

    fn beat(&mut self) {
        self.next_beat = Instant::now() + self.settings.report_interval;
        self.apply(Input::Beat);
        self.emit(Event::Heartbeat {
            backend: self.name.clone(),
            at: self.now().time,
        });
    }

    /// Begins what is due in this phase.
    fn begin(&mut self) {
        match self.state.phase {
            Phase::Pending | Phase::Down => self.initialize(),
            Phase::Up | Phase::Degraded => self.probe(),
            Phase::Initializing | Phase::Disabled => self.due = None,
        }
    }

    fn initialize(&mut self) {
        let call = guard::initialize(self.driver.clone(), self.settings.clone(), self.pace.clone());
        self.due = None;
        self.work = Some(Work {
            began: Instant::now(),
            initializes: true,
            future: Box::pin(async move { Done::Initialize(call.await) }),
        });
        self.apply(Input::Begin);
        let (backend, at) = (self.name.clone(), self.now().time);
        self.emit(Event::InitializeStart {
            backend,
            at,
            attempt: self.state.attempt,
        });
    }

    fn probe(&mut self) {
        let Some(ready) = self.ready.clone() else { return };
        let call = guard::probe(self.driver.clone(), ready, self.settings.clone());
        let began = Instant::now();
        self.due = None;
        self.last_probe_began = Some(began);
        self.work = Some(Work {
            began,
            initializes: false,
            future: Box::pin(async move { Done::Probe(call.await) }),
        });
        self.plan(None);
    }

    /// Changes when the next call is due, and shows it.
    fn plan(&mut self, due: Option<Instant>) {
        self.due = due;
        let now = self.now();
        let wait = due.map(|due| due.saturating_duration_since(now.instant));
        self.state.next_try = wait.and_then(|wait| now.time.checked_add(wait).ok());
        let next_try = self.state.next_try;
        self.published
            .send_modify(|published| published.state.next_try = next_try);
    }

    fn drop_work(&mut self) {
        self.work = None;
        self.due = None;
        self.again = false;
    }

    fn command(&mut self, command: Command<D>) {
        match command {
            Command::Reinitialize if self.state.phase == Phase::Disabled => {
                tracing::info!(backend = %self.name, "not initialised again: it is disabled");
            }
            Command::Reinitialize if self.work.as_ref().is_some_and(|work| work.initializes) => {
                self.again = true
            }
            Command::Reinitialize => {
                self.drop_work();
                self.backoff.reset();
                self.initialize();
            }
            Command::Configure(driver, settings) => {
                self.drop_work();
                self.driver = driver;
                self.backoff = Backoff::new(settings.periodic_interval);
                self.settings = settings.clone();
                self.next_beat = self.next_beat.min(Instant::now() + self.settings.report_interval);
                self.apply(Input::Configure(settings));
                if self.state.phase != Phase::Disabled {
                    self.initialize();
                }
            }
            Command::Disable(why) => {
                self.drop_work();
                self.apply(Input::Disable(why));
            }
            Command::Enable if self.state.phase == Phase::Disabled => {
                self.backoff.reset();
                self.due = Some(Instant::now());
                self.apply(Input::Enable);
            }
            Command::Enable => {}
            Command::Report(failure) => self.reported(&failure),
        }
    }

    /// An operation saw a failure: look at once, but not more often than the spacing allows.
    fn reported(&mut self, failure: &Failure) {
        if !self.state.phase.works() || self.work.is_some() {
            return;
        }
        tracing::debug!(backend = %self.name, code = failure.code(), "an operation reported a failure");
        let now = Instant::now();
        let at = self
            .last_probe_began
            .map_or(now, |began| now.max(began + PROBE_SPACING));
        self.plan(Some(self.due.map_or(at, |due| due.min(at))));
    }
}

/// Waits until the supervisor stops its backends, or is gone.
async fn stopped(stop: &mut watch::Receiver<Option<Ending>>) -> Ending {
    match stop.wait_for(Option::is_some).await {
        Ok(ending) => ending.unwrap_or(Ending::Stopped),
        Err(_) => Ending::Stopped,
    }
}

/// Waits for the end of the call that is under way; for ever when there is none.
async fn ended<R>(work: &mut Option<Work<R>>) -> Done<R> {
    match work {
        Some(work) => work.future.as_mut().await,
        None => std::future::pending().await,
    }
}
