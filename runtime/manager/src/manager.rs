//! The manager: start (`init_host`), the questions, and the end.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use cofferdam_catalog::{Catalog, EventRecord, Repository as _, ServiceSwitch};
use cofferdam_sandbox::Sandbox;
use cofferdam_sandbox::compile::CompileHelper;
use cofferdam_supervisor::{Status, Supervisor};
use cofferdam_transfer::{ObjectStore, Resources};
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::admission::Admission;
use crate::claims;
use crate::driver::{BackendDriver, Generation};
use crate::error::ManagerError;
use crate::notify::recorder::Recorder;
use crate::notify::webhook::{self, Deliveries};
use crate::observe::Observed;
use crate::operations::{OperationId, OperationStatus, Operations};
use crate::options::{BackendOptions, ServiceOptions};
use crate::store::BackendStore;

/// How long an operation is waited for when the service stops, after it was told to cancel.
const DRAIN: Duration = Duration::from_secs(30);

/// Events that a sink may be behind before it loses the oldest. A thousand backends that begin at once make some four
/// thousand.
const EVENTS: usize = 1 << 14;

/// One backend's state, as shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// From the supervisor.
    pub status: Status,
    /// Name and version of the loaded driver, or the file that was not loaded yet.
    pub driver: String,
    /// Threads of ended instances, in the whole process, that have not come back.
    pub threads_ending: usize,
    /// Whether it takes no new backups, because an administrator has said so.
    #[serde(default)]
    pub disabled: bool,
    /// Why.
    #[serde(default)]
    pub disabled_reason: Option<String>,
}

/// The backends as they are configured now.
#[derive(Debug, Default)]
pub(crate) struct Backends {
    pub(crate) drivers: BTreeMap<String, Arc<BackendDriver>>,
    /// Their names in the order of the configuration.
    pub(crate) order: Vec<String>,
}

impl Backends {
    pub(crate) fn new(drivers: Vec<Arc<BackendDriver>>) -> Self {
        let name = |driver: &Arc<BackendDriver>| driver.options.name.clone();
        Backends {
            order: drivers.iter().map(name).collect(),
            drivers: drivers
                .into_iter()
                .map(|driver| (name(&driver), driver))
                .collect(),
        }
    }
}

/// Runs the operations of one state folder. At most one exists per folder.
pub struct Manager {
    pub(crate) options: ServiceOptions,
    pub(crate) catalog: Catalog,
    pub(crate) supervisor: Arc<Supervisor<BackendDriver>>,
    pub(crate) operations: Arc<Operations>,
    pub(crate) admission: Arc<Admission>,
    /// In whose name backups are claimed.
    pub(crate) owner: Uuid,
    /// As the catalog has them.
    pub(crate) switches: RwLock<BTreeMap<String, ServiceSwitch>>,
    pub(crate) sandbox: Sandbox,
    /// Replaced as a whole by a reload.
    pub(crate) backends: RwLock<Arc<Backends>>,
    pub(crate) reloading: tokio::sync::Mutex<()>,
    pub(crate) deliveries: Arc<Deliveries>,
    pub(crate) observed: Arc<Observed>,
    recorder: Mutex<Option<Recorder>>,
    pub(crate) stopping: AtomicBool,
    _lock: File,
}

impl Manager {
    /// Starts the service on a state folder: takes its lock, opens the catalog, puts right what a killed process left
    /// behind, and begins to initialise every backend (`init_host`). Does not wait for the backends.
    ///
    /// # Errors
    /// When the folder is in use by another process, the catalog cannot be opened, or the sandbox fails its self-test.
    pub async fn start(
        options: ServiceOptions,
        backends: Vec<BackendOptions>,
        helper: CompileHelper,
    ) -> Result<Arc<Manager>, ManagerError> {
        let lock = lock(&options.state_path)?;
        let catalog = Catalog::open(&crate::catalog::catalog_path(&options)).await?;
        // Whatever the last life left in the records: nothing is up before its first success in this one.
        catalog.forget_services(&options.host).await?;
        let sandbox = Sandbox::start(helper, options.state_path.join("compiled")).await?;
        let driver = |backend| Arc::new(BackendDriver::new(sandbox.clone(), backend));
        let backends = Backends::new(backends.into_iter().map(driver).collect());
        let supervisor = Arc::new(Supervisor::start_with(
            Vec::new(),
            cofferdam_supervisor::Options {
                event_capacity: EVENTS,
                ..Default::default()
            },
        ));
        let deliveries = Arc::new(Deliveries::default());
        if let Some(webhook) = &options.webhook {
            webhook::start(
                webhook.clone(),
                &options.host,
                supervisor.events(),
                deliveries.clone(),
            )?;
        }
        let owner = claims::owner(&options.state_path)?;
        let switches = catalog.switches().await?;
        let own = switches.into_iter().filter(|switch| switch.host == options.host);
        let switches = own.map(|switch| (switch.name.clone(), switch)).collect();
        let admission = Admission::new(options.max_operations);
        let resources = Resources::new(options.transfer_memory, options.transfer_parallelism);
        let manager = Arc::new(Manager {
            options,
            catalog,
            supervisor,
            operations: Operations::new(resources),
            admission,
            owner,
            switches: RwLock::new(switches),
            sandbox,
            backends: RwLock::new(Arc::new(backends)),
            reloading: tokio::sync::Mutex::default(),
            deliveries,
            observed: Arc::default(),
            recorder: Mutex::default(),
            stopping: AtomicBool::new(false),
            _lock: lock,
        });
        // They listen before the first backend begins, so that history and metrics have every event.
        manager.observed.listen(manager.supervisor.events());
        let recorder = Recorder::start(&manager);
        *manager.recorder.lock().unwrap_or_else(PoisonError::into_inner) = Some(recorder);
        let backends = manager.backends();
        for driver in backends
            .order
            .iter()
            .filter_map(|name| backends.drivers.get(name))
        {
            let options = &driver.options;
            manager
                .supervisor
                .add(&options.name, driver.clone(), options.supervision.clone());
        }
        crate::catalog::look_later(&manager);
        if let Some(within) = manager.options.verify_within {
            crate::scrub::start(&manager, within);
        }
        claims::keep(&manager);
        let interrupted = manager.recover().await?;
        let records: Vec<_> = interrupted.iter().map(|(record, _)| record.clone()).collect();
        manager.recover_volumes(&records).await?;
        manager.register_volumes().await?;
        if !manager.options.inithost_offload {
            manager.operations.idle().await;
        }
        for (record, fence) in interrupted {
            manager.resume_create(record, fence);
        }
        Ok(manager)
    }

    pub(crate) fn backends(&self) -> Arc<Backends> {
        self.backends
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// All backends, in the order of the configuration.
    pub fn services(&self) -> Vec<ServiceStatus> {
        self.backends()
            .order
            .iter()
            .filter_map(|name| self.service(name).ok())
            .collect()
    }

    /// Threads of ended driver instances, in the whole process, that have not come back.
    pub fn threads_ending(&self) -> usize {
        self.sandbox.threads_ending()
    }

    /// Requests and connections that a backend's driver was denied since the service started.
    pub fn denials(&self, backend: &str) -> u64 {
        self.sandbox.denials(backend)
    }

    /// Calls of a backend's driver that failed and were made again, since it was configured.
    pub fn retries(&self, backend: &str) -> u64 {
        let backends = self.backends();
        backends
            .drivers
            .get(backend)
            .map_or(0, |driver| driver.layers.repeated())
    }

    /// Events that were sent to the webhook, and that were not.
    pub fn deliveries(&self) -> &Deliveries {
        &self.deliveries
    }

    /// The newest events of all backends or of one, oldest first; with `after` those that came after that number.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn events(
        &self,
        backend: Option<&str>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<EventRecord>, ManagerError> {
        Ok(self
            .catalog
            .events(&self.options.host, backend, after, limit)
            .await?)
    }

    /// One backend.
    ///
    /// # Errors
    /// [`ManagerError::UnknownBackend`].
    pub fn service(&self, name: &str) -> Result<ServiceStatus, ManagerError> {
        let backends = self.backends();
        let (Some(driver), Some(status)) = (backends.drivers.get(name), self.supervisor.status(name)) else {
            return Err(self.unknown(name));
        };
        let switch = self.switched(name);
        Ok(ServiceStatus {
            status,
            driver: driver.shown(),
            threads_ending: self.threads_ending(),
            disabled: switch.disabled,
            disabled_reason: switch.reason,
        })
    }

    /// Initialises a backend again now.
    ///
    /// # Errors
    /// [`ManagerError::UnknownBackend`].
    pub async fn reinitialize(&self, name: &str) -> Result<(), ManagerError> {
        if self.supervisor.reinitialize(name).await {
            Ok(())
        } else {
            Err(self.unknown(name))
        }
    }

    /// Waits until every backend's first initialisation has an outcome.
    pub async fn settled(&self) {
        for name in &self.backends().order {
            self.supervisor.settled(name).await;
        }
    }

    /// One operation.
    ///
    /// # Errors
    /// [`ManagerError::UnknownOperation`].
    pub fn operation(&self, id: OperationId) -> Result<OperationStatus, ManagerError> {
        self.operations.status(id)
    }

    /// Backups and restores that wait until others have ended (`backup_max_operations`).
    pub fn waiting(&self) -> usize {
        self.admission.waiting()
    }

    /// Name of this host.
    pub fn host(&self) -> &str {
        &self.options.host
    }

    /// Stops: no new operations, running ones are cancelled and waited for, drivers are ended.
    pub async fn shutdown(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.operations.cancel.cancel();
        if tokio::time::timeout(DRAIN, self.operations.idle()).await.is_err() {
            tracing::warn!("operations did not end in time; their records are put right at the next start");
        }
        self.supervisor.shutdown().await;
        let recorder = self
            .recorder
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(recorder) = recorder {
            recorder.finish().await;
        }
        self.catalog.close().await;
    }

    /// Refuses new operations once the service is stopping.
    pub(crate) fn check_running(&self) -> Result<(), ManagerError> {
        if self.stopping.load(Ordering::SeqCst) {
            Err(ManagerError::Stopping)
        } else {
            Ok(())
        }
    }

    pub(crate) fn unknown(&self, name: &str) -> ManagerError {
        ManagerError::UnknownBackend {
            name: name.to_owned(),
            known: self.backends().order.clone(),
        }
    }

    /// The backend to use: the one that is asked for, or the first that is up.
    pub(crate) fn choose(&self, asked: Option<&str>) -> Result<(String, Arc<Generation>), ManagerError> {
        if let Some(name) = asked {
            if !self.backends().drivers.contains_key(name) {
                return Err(self.unknown(name));
            }
            return Ok((name.to_owned(), self.supervisor.lease(name)?));
        }
        let mut first_refusal = None;
        for name in &self.backends().order {
            match self.supervisor.lease(name) {
                Ok(generation) => return Ok((name.clone(), generation)),
                Err(not_up) => first_refusal = first_refusal.or(Some(not_up)),
            }
        }
        Err(first_refusal.map_or_else(|| self.unknown(""), ManagerError::from))
    }

    /// A backend's storage, for the transfer engine.
    pub(crate) fn storage(&self, backend: &str, generation: Arc<Generation>) -> Arc<dyn ObjectStore> {
        let layers = generation.layers.clone();
        layers.round(Arc::new(BackendStore::new(
            backend.to_owned(),
            generation,
            self.supervisor.clone(),
        )))
    }
}

/// Makes the state folder and takes its lock, which the process holds until it ends, however it ends.
fn lock(folder: &Path) -> Result<File, ManagerError> {
    let broken = |what: &str, error: std::io::Error| ManagerError::Service {
        message: format!("the state folder {} {what}: {error}", folder.display()),
        remedy: "set state_path to a folder that this user may write".into(),
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| broken("cannot be made", error))?;
    let file = File::create(folder.join("lock")).map_err(|error| broken("cannot be written", error))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(ManagerError::Service {
            message: format!(
                "another cofferdam process uses the state folder {}",
                folder.display()
            ),
            remedy: "wait for it to end; commands speak to a running service by themselves once it listens"
                .into(),
        }),
        Err(error) => Err(broken("cannot be locked", error.into())),
    }
}
