//! A backend's driver as the supervisor sees it: load, initialise, probe; and the generation of instances that a
//! successful initialisation leaves behind for operations to lease.
//!
//! A lease takes an idle instance or makes a new one with `do-setup` alone (0.2 ms). An instance that failed in any
//! way but by the driver's own error is gone; the lease of the next call makes another. Bound: at most [`IDLE`] idle
//! instances are kept per generation. When a generation is replaced, the leases that are out keep the old one alive
//! until they are done.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use cofferdam_sandbox::contract::DriverInfo;
use cofferdam_sandbox::requirements::{self, Provision};
use cofferdam_sandbox::{Budget, Driver as Component, Failure, Instance, Limits, Phase, Sandbox};
use cofferdam_supervisor::Driver;
use cofferdam_transfer::Layers;

use crate::options::BackendOptions;

/// Idle instances that a generation keeps.
const IDLE: usize = 4;

/// What a backend's driver says of itself, and what its instances are given.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) component: Component,
    pub(crate) info: DriverInfo,
    pub(crate) provision: Provision,
}

/// One configured backend.
#[derive(Debug)]
pub(crate) struct BackendDriver {
    sandbox: Sandbox,
    pub(crate) options: BackendOptions,
    limits: Arc<Limits>,
    /// Round its storage, for all operations together.
    pub(crate) layers: Arc<Layers>,
    loaded: Mutex<Option<Component>>,
    known: Mutex<Option<Arc<Known>>>,
    /// Microseconds that the last probe took; 0: there was none.
    last_probe: AtomicU64,
}

impl BackendDriver {
    pub(crate) fn new(sandbox: Sandbox, options: BackendOptions) -> Self {
        let limits = Arc::new(options.limits.clone());
        let layers = Layers::new(&options.name, options.patience, options.calls);
        BackendDriver {
            sandbox,
            options,
            limits,
            layers,
            loaded: Mutex::default(),
            known: Mutex::default(),
            last_probe: AtomicU64::new(0),
        }
    }

    /// How long the last probe that came to an end took.
    pub(crate) fn last_probe(&self) -> Option<Duration> {
        let took = self.last_probe.load(Ordering::Relaxed);
        (took > 0).then(|| Duration::from_micros(took))
    }

    /// Asks the loaded driver what it is, and checks settings and grants against the answer.
    async fn describe(&self, budget: &Budget) -> Result<Arc<Known>, Failure> {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(component) = loaded else {
            return Err(Failure::Host {
                phase: Phase::Load,
                reason: "the driver was not loaded".into(),
                remedy: "report this".into(),
            });
        };
        let info = self
            .sandbox
            .describe(&component, &self.options.name, &self.limits, budget)
            .await?;
        let provision = requirements::provide(&info, &self.options.settings, &self.options.grants)?;
        Ok(Arc::new(Known {
            component,
            info,
            provision,
        }))
    }

    /// Whether driver, settings and grants fit together. Runs no more than `describe`; touches no storage.
    ///
    /// # Errors
    /// Any [`Failure`] of loading and `describe`, and what does not fit.
    pub(crate) async fn check(&self) -> Result<(), Failure> {
        self.load().await?;
        let supervision = &self.options.supervision;
        let budget = Budget::new(
            supervision.initialization_timeout,
            supervision.initialization_fuel,
        );
        self.describe(&budget).await.map(drop)
    }

    /// Name and version, or the file's name while the driver has not described itself.
    pub(crate) fn shown(&self) -> String {
        match self.known() {
            Some(known) => format!("{} {}", known.info.name, known.info.version),
            None => {
                let stem = self.options.driver_file.file_stem().unwrap_or_default();
                stem.to_string_lossy().into_owned()
            }
        }
    }

    /// What is known of the driver since it last described itself.
    pub(crate) fn known(&self) -> Option<Arc<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Instances of one successful initialisation.
#[derive(Debug)]
pub(crate) struct Generation {
    backend: String,
    pub(crate) sandbox: Sandbox,
    limits: Arc<Limits>,
    pub(crate) layers: Arc<Layers>,
    pub(crate) known: Arc<Known>,
    idle: Mutex<Vec<Instance>>,
}

/// An instance on loan; goes back to its generation when dropped, if it still lives.
#[derive(Debug)]
pub(crate) struct Lease<'a> {
    generation: &'a Generation,
    instance: Option<Instance>,
}

impl std::ops::Deref for Lease<'_> {
    type Target = Instance;

    #[allow(
        clippy::expect_used,
        reason = "the instance is only taken out when the lease is dropped"
    )]
    fn deref(&self) -> &Instance {
        self.instance
            .as_ref()
            .expect("a lease holds its instance until it is dropped")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(instance) = self.instance.take()
            && instance.is_alive()
        {
            let mut idle = self
                .generation
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if idle.len() < IDLE {
                idle.push(instance);
            }
        }
    }
}

impl Generation {
    /// An instance that is set up.
    ///
    /// # Errors
    /// What instantiation or `do-setup` of a new one failed with.
    pub(crate) async fn lease(&self) -> Result<Lease<'_>, Failure> {
        self.lease_within(&Budget::new(self.limits.call_timeout, self.limits.call_fuel))
            .await
    }

    /// The same, within a budget that covers more than this.
    async fn lease_within(&self, budget: &Budget) -> Result<Lease<'_>, Failure> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let instance = match idle {
            Some(instance) if instance.is_alive() => instance,
            _ => self.open(budget).await?,
        };
        Ok(Lease {
            generation: self,
            instance: Some(instance),
        })
    }

    /// A new instance after `do-setup`.
    async fn open(&self, budget: &Budget) -> Result<Instance, Failure> {
        let Known {
            component, provision, ..
        } = &*self.known;
        let instance = self
            .sandbox
            .open(component, &self.backend, provision, &self.limits, budget)
            .await?;
        instance.do_setup(&provision.settings, budget).await?;
        Ok(instance)
    }
}

#[async_trait]
impl Driver for BackendDriver {
    type Ready = Generation;

    async fn load(&self) -> Result<(), Failure> {
        let refused = |reason: String| Failure::InvalidComponent { reason };
        if let Some(Err(reason)) = &self.options.pin {
            return Err(refused(reason.clone()));
        }
        let component = self.sandbox.load(&self.options.driver_file, &self.limits).await?;
        if let Some(Ok(pinned)) = &self.options.pin
            && component.report.digest != *pinned
        {
            return Err(refused(format!(
                "its SHA-256 is {}, and the configuration holds it to {pinned}",
                component.report.digest
            )));
        }
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = Some(component);
        Ok(())
    }

    async fn initialize(&self, budget: &Budget) -> Result<Arc<Generation>, Failure> {
        let known = self.describe(budget).await?;
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known.clone());
        let generation = Generation {
            backend: self.options.name.clone(),
            sandbox: self.sandbox.clone(),
            limits: self.limits.clone(),
            layers: self.layers.clone(),
            known,
            idle: Mutex::default(),
        };
        if !generation.known.provision.tls.verify {
            tracing::warn!(backend = %self.options.name, "the certificates of this backend's TLS are not checked");
        }
        let instance = generation.open(budget).await?;
        instance.check_for_setup_error(budget).await?;
        generation
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(instance);
        Ok(Arc::new(generation))
    }

    async fn probe(&self, ready: &Arc<Generation>, budget: &Budget) -> Result<(), Failure> {
        let begin = Instant::now();
        let outcome = match ready.lease_within(budget).await {
            Ok(instance) => instance.probe(budget).await,
            Err(failure) => Err(failure),
        };
        let took = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last_probe.store(took.max(1), Ordering::Relaxed);
        outcome
    }
}
