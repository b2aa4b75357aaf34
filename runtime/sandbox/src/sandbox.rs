//! The process's sandbox: one engine, one ticker, one gate, and the drivers that were loaded into it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre, Linker};

use crate::budget::Budget;
use crate::clock::Ticker;
use crate::compile::{self, CompileHelper};
use crate::component::{self, ComponentReport};
use crate::contract::{DriverIndices, DriverInfo, LaterIndices};
use crate::egress::dial::{Resolver, SystemResolver};
use crate::egress::tls::SystemRoots;
use crate::failure::{Failure, Phase, clean};
use crate::host::{self, State};
use crate::instance::Instance;
use crate::limits::{Limits, TEXT};
use crate::requirements::Provision;
use crate::turns::Gate;

/// Options and needs that one driver may list.
const MAX_OPTIONS: usize = 256;

/// How long the ticker is waited for when its heartbeat is old: many of its ticks.
const AFTER_STANDSTILL: Duration = Duration::from_millis(500);

/// What all instances share.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) gate: Gate,
    /// Threads that were told to end and have not yet.
    pub(crate) ending: Arc<AtomicUsize>,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) roots: SystemRoots,
    /// Requests and connections that were denied, by backend.
    denials: Mutex<HashMap<String, Arc<AtomicU64>>>,
    linker: Linker<State>,
    ticker: Ticker,
}

impl Shared {
    pub(crate) fn new(resolver: Arc<dyn Resolver>) -> Result<Self, Failure> {
        let host = |error: String| Failure::Host {
            phase: Phase::Load,
            reason: format!("the WebAssembly engine cannot be started: {error}"),
            remedy: "check that this machine is a supported Linux".into(),
        };
        let engine = crate::engine::engine().map_err(|error| host(format!("{error:#}")))?;
        let ticker = Ticker::start(&engine).map_err(|error| host(error.to_string()))?;
        let linker = host::linker(&engine).map_err(|error| host(format!("{error:#}")))?;
        Ok(Shared {
            gate: Gate::for_this_machine(),
            ending: Arc::default(),
            resolver,
            roots: SystemRoots::default(),
            denials: Mutex::default(),
            linker,
            ticker,
            engine,
        })
    }

    /// The counter of what a backend's driver was denied.
    pub(crate) fn denials_of(&self, backend: &str) -> Arc<AtomicU64> {
        let mut all = self.denials.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(backend.to_owned()).or_default().clone()
    }

    /// No call begins while the epoch backstop is dead. When the whole machine stood still (a virtual machine that was paused, or
    /// moved), whoever comes first finds an old heartbeat too: the ticker gets a moment to show that it lives.
    pub(crate) async fn check_clock(&self) -> Result<(), Failure> {
        if self.ticker.is_alive() {
            return Ok(());
        }
        tokio::time::sleep(AFTER_STANDSTILL).await;
        if self.ticker.is_alive() {
            return Ok(());
        }
        Err(Failure::Host {
            phase: Phase::Instantiate,
            reason: "the epoch ticker has stopped, so a driver could not be interrupted".into(),
            remedy: "restart the service and report this".into(),
        })
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("ending", &self.ending)
            .finish_non_exhaustive()
    }
}

/// Loads drivers and makes instances of them. Cheap to clone; one per process.
#[derive(Debug, Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
    helper: CompileHelper,
    cache: PathBuf,
    /// Drivers that somebody still holds, by the digest of their file: many backends of one driver share its code,
    /// and a backend that is initialised again does not read and check it all anew.
    loaded: Arc<Mutex<HashMap<String, Weak<Loaded>>>>,
    compiling: Arc<Semaphore>,
}

/// A driver that was loaded: checked, compiled and linked. None of its code has run yet.
#[derive(Clone)]
pub struct Driver(Arc<Loaded>);

/// What [`Driver`] shares.
pub struct Loaded {
    /// What its file holds.
    pub report: ComponentReport,
    pub(crate) pre: InstancePre<State>,
    /// Where its exports are.
    pub(crate) exports: DriverIndices,
    /// The same of what a later contract adds, if it has that.
    pub(crate) later: Option<LaterIndices>,
}

impl std::ops::Deref for Driver {
    type Target = Loaded;

    fn deref(&self) -> &Loaded {
        &self.0
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver")
            .field("digest", &self.report.digest)
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts engine and ticker, and proves with a spinning component that each time limit works.
    ///
    /// # Errors
    /// [`Failure::Host`] when the engine cannot be made or a limit does not hold.
    pub async fn start(helper: CompileHelper, cache: PathBuf) -> Result<Self, Failure> {
        Self::with_resolver(helper, cache, Arc::new(SystemResolver)).await
    }

    /// The same with another resolver of names.
    ///
    /// # Errors
    /// As [`Sandbox::start`].
    pub async fn with_resolver(
        helper: CompileHelper,
        cache: PathBuf,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self, Failure> {
        crate::selftest::run().await?;
        Ok(Sandbox {
            shared: Arc::new(Shared::new(resolver)?),
            helper,
            cache,
            loaded: Arc::default(),
            compiling: Arc::new(Semaphore::new(compile::ABREAST)),
        })
    }

    /// Reads, checks, compiles (or takes from the cache) and links a driver. Runs none of its code.
    ///
    /// # Errors
    /// [`Failure::Host`] when the file cannot be read, [`Failure::InvalidComponent`], [`Failure::CompileTimeout`].
    pub async fn load(&self, file: &Path, limits: &Limits) -> Result<Driver, Failure> {
        let (bytes, digest) = read(file, limits).await?;
        component::check_size(bytes.len() as u64, limits)?;
        if let Some(known) = self.known(&digest) {
            return Ok(known);
        }
        let shared = &self.shared;
        if let Some((component, report)) = compile::cached(&shared.engine, &self.cache, &digest).await {
            return self.link(&component, report);
        }
        // Checking takes up to a second for the greatest component, so it has a thread of its own.
        let own = limits.clone();
        let examined = tokio::task::spawn_blocking(move || (component::examine(&bytes, &own), bytes));
        let (report, bytes) = examined.await.map_err(|error| lost(&error))?;
        let report = report?;
        // Whoever waited for the same component finds it loaded now. Nobody closes the semaphore.
        let _turn = self.compiling.acquire().await;
        if let Some(known) = self.known(&digest) {
            return Ok(known);
        }
        let compiled =
            compile::compile(&shared.engine, &self.helper, &self.cache, limits, &report, &bytes).await?;
        self.link(&compiled, report)
    }

    /// Links a component, for all who load it from now on.
    fn link(&self, component: &Component, report: ComponentReport) -> Result<Driver, Failure> {
        let unusable = |error: wasmtime::Error| Failure::InvalidComponent {
            reason: clean(&format!("{error:#}"), TEXT),
        };
        let digest = report.digest.clone();
        let pre = self.shared.linker.instantiate_pre(component).map_err(unusable)?;
        let loaded = Arc::new(Loaded {
            report,
            exports: DriverIndices::new(&pre).map_err(unusable)?,
            later: LaterIndices::new(&pre).ok(),
            pre,
        });
        let mut all = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, driver| driver.strong_count() > 0);
        all.insert(digest, Arc::downgrade(&loaded));
        Ok(Driver(loaded))
    }

    fn known(&self, digest: &str) -> Option<Driver> {
        let all = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(digest)?.upgrade().map(Driver)
    }

    /// What a driver says of itself, in an instance that has nothing and is thrown away. Under the budget, because the
    /// guest's start code runs here for the first time.
    ///
    /// # Errors
    /// Any [`Failure`] of instantiation or of `describe`; [`Failure::InvalidComponent`] when the description makes no sense.
    pub async fn describe(
        &self,
        driver: &Driver,
        backend: &str,
        limits: &Arc<Limits>,
        budget: &Budget,
    ) -> Result<DriverInfo, Failure> {
        let instance = self
            .open(driver, backend, &Provision::default(), limits, budget)
            .await?;
        sane(instance.describe(budget).await?)
    }

    /// Makes an instance that has what the provision gives it and nothing else. The guest's start code runs under
    /// the budget too.
    ///
    /// # Errors
    /// Any [`Failure`] of instantiation; [`Failure::Host`] when a granted directory cannot be opened.
    pub async fn open(
        &self,
        driver: &Driver,
        backend: &str,
        provision: &Provision,
        limits: &Arc<Limits>,
        budget: &Budget,
    ) -> Result<Instance, Failure> {
        Instance::open(&self.shared, driver, backend.into(), provision, limits, budget).await
    }

    /// Requests and connections that a backend's driver was denied since the sandbox started.
    pub fn denials(&self, backend: &str) -> u64 {
        self.shared.denials_of(backend).load(Ordering::Relaxed)
    }

    /// Threads of instances that were told to end and have not ended yet; one that stays is stuck in the kernel.
    pub fn threads_ending(&self) -> usize {
        self.shared.ending.load(Ordering::SeqCst)
    }
}

/// The file's bytes, at most one more than allowed, and their digest.
async fn read(file: &Path, limits: &Limits) -> Result<(Vec<u8>, String), Failure> {
    let (path, most) = (file.to_owned(), limits.component_size);
    let reading = tokio::task::spawn_blocking(move || -> std::io::Result<(Vec<u8>, String)> {
        use std::io::Read;
        let mut bytes = Vec::new();
        // One byte more than allowed, so that the check of the size sees the excess.
        std::fs::File::open(path)?
            .take(most.saturating_add(1))
            .read_to_end(&mut bytes)?;
        let digest = component::digest(&bytes);
        Ok((bytes, digest))
    });
    let result = reading.await.map_err(|error| lost(&error))?;
    result.map_err(|error| Failure::Host {
        phase: Phase::Load,
        reason: format!("the driver's file {} cannot be read: {error}", file.display()),
        remedy: "put the component there, or mend backup_driver or driver_path".into(),
    })
}

/// A blocking piece of the host's own work broke.
fn lost(error: &tokio::task::JoinError) -> Failure {
    Failure::Host {
        phase: Phase::Load,
        reason: format!("the host's own work was lost: {error}"),
        remedy: "report this to the makers of Cofferdam".into(),
    }
}

/// A driver's description within sensible bounds.
fn sane(info: DriverInfo) -> Result<DriverInfo, Failure> {
    let refuse = |reason: String| Err(Failure::InvalidComponent { reason });
    let is_word = |text: &str| {
        !text.is_empty()
            && text.len() <= 64
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.+".contains(&b))
    };
    if !is_word(&info.name) || !is_word(&info.version) {
        return refuse(format!(
            "describe gives the name {:?} and version {:?}; each must be a short word",
            clean(&info.name, 100),
            clean(&info.version, 100)
        ));
    }
    if info.options.len() > MAX_OPTIONS {
        return refuse(format!(
            "describe lists {} options; at most {MAX_OPTIONS} are allowed",
            info.options.len()
        ));
    }
    let mut names: Vec<_> = info.options.iter().map(|option| option.name.as_str()).collect();
    if let Some(wrong) = names.iter().find(|name| !is_word(name)) {
        return refuse(format!(
            "describe lists an option named {:?}, which is no word",
            clean(wrong, 100)
        ));
    }
    names.sort_unstable();
    if names.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return refuse("describe lists an option twice".into());
    }
    Ok(info)
}
