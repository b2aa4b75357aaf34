//! The manager: start (`init_host`), the questions, and the end.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cofferdam_catalog::{BackupId, BackupRecord, Catalog, ServiceRecord};
use cofferdam_sandbox::Sandbox;
use cofferdam_sandbox::compile::CompileHelper;
use cofferdam_supervisor::{Event, Status, Supervisor};
use jiff::Timestamp;
use rustix::fs::FlockOperation;

use crate::driver::{BackendDriver, Generation};
use crate::error::ManagerError;
use crate::operations::{OperationId, OperationStatus, Operations};
use crate::options::{BackendOptions, ServiceOptions};
use crate::store::BackendStore;

/// How long an operation is waited for when the service stops, after it was told to cancel.
const DRAIN: Duration = Duration::from_secs(30);

/// One backend's state, as shown.
#[derive(Debug, Clone)]
pub struct ServiceStatus {
    /// From the supervisor.
    pub status: Status,
    /// Name and version of the loaded driver, or the file that was not loaded yet.
    pub driver: String,
    /// Threads of ended instances, in the whole process, that have not come back.
    pub threads_ending: usize,
}

/// Runs the operations of one state folder. At most one exists per folder.
pub struct Manager {
    pub(crate) options: ServiceOptions,
    pub(crate) catalog: Catalog,
    pub(crate) supervisor: Arc<Supervisor<BackendDriver>>,
    pub(crate) backends: BTreeMap<String, Arc<BackendDriver>>,
    pub(crate) operations: Arc<Operations>,
    order: Vec<String>,
    sandbox: Sandbox,
    stopping: AtomicBool,
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
        let catalog = Catalog::open(&options.state_path.join("catalog.sqlite")).await?;
        let sandbox = Sandbox::start(helper, options.state_path.join("compiled")).await?;
        let order: Vec<_> = backends.iter().map(|backend| backend.name.clone()).collect();
        let drivers: BTreeMap<_, _> = backends
            .into_iter()
            .map(|backend| {
                (
                    backend.name.clone(),
                    Arc::new(BackendDriver::new(sandbox.clone(), backend)),
                )
            })
            .collect();
        let supervised = order.iter().filter_map(|name| {
            let driver = drivers.get(name)?;
            Some((name.clone(), driver.clone(), driver.options.supervision.clone()))
        });
        let supervisor = Arc::new(Supervisor::start(supervised.collect()));
        let manager = Arc::new(Manager {
            options,
            catalog,
            supervisor,
            backends: drivers,
            operations: Operations::new(),
            order,
            sandbox,
            stopping: AtomicBool::new(false),
            _lock: lock,
        });
        manager.recover().await?;
        tokio::spawn(record_heartbeats(manager.clone()));
        Ok(manager)
    }

    /// All backends, in the order of the configuration.
    pub fn services(&self) -> Vec<ServiceStatus> {
        self.order
            .iter()
            .filter_map(|name| self.service(name).ok())
            .collect()
    }

    /// One backend.
    ///
    /// # Errors
    /// [`ManagerError::UnknownBackend`].
    pub fn service(&self, name: &str) -> Result<ServiceStatus, ManagerError> {
        let (Some(driver), Some(status)) = (self.backends.get(name), self.supervisor.status(name)) else {
            return Err(self.unknown(name));
        };
        let shown = match driver.known() {
            Some(known) => format!("{} {}", known.info.name, known.info.version),
            None => driver
                .options
                .driver_file
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
        };
        Ok(ServiceStatus {
            status,
            driver: shown,
            threads_ending: self.sandbox.threads_ending(),
        })
    }

    /// Initialises a backend again now.
    ///
    /// # Errors
    /// [`ManagerError::UnknownBackend`].
    pub async fn reinitialize(&self, name: &str) -> Result<(), ManagerError> {
        if !self.backends.contains_key(name) {
            return Err(self.unknown(name));
        }
        self.supervisor.reinitialize(name).await;
        Ok(())
    }

    /// Waits until every backend's first initialisation has an outcome.
    pub async fn settled(&self) {
        for name in &self.order {
            self.supervisor.settled(name).await;
        }
    }

    /// Backups, newest first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn backups(
        &self,
        limit: u32,
        marker: Option<BackupId>,
    ) -> Result<Vec<BackupRecord>, ManagerError> {
        Ok(self.catalog.list(limit, marker).await?)
    }

    /// One backup.
    ///
    /// # Errors
    /// [`ManagerError::UnknownBackup`].
    pub async fn backup(&self, id: BackupId) -> Result<BackupRecord, ManagerError> {
        Ok(self.catalog.get(id).await?)
    }

    /// One operation.
    ///
    /// # Errors
    /// [`ManagerError::UnknownOperation`].
    pub fn operation(&self, id: OperationId) -> Result<OperationStatus, ManagerError> {
        self.operations.status(id)
    }

    /// Stops: no new operations, running ones are cancelled and waited for, drivers are ended.
    pub async fn shutdown(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.operations.cancel.cancel();
        if tokio::time::timeout(DRAIN, self.operations.idle()).await.is_err() {
            tracing::warn!("operations did not end in time; their records are put right at the next start");
        }
        self.supervisor.shutdown().await;
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
            known: self.order.clone(),
        }
    }

    /// The backend to use: the one that is asked for, or the first that is up.
    pub(crate) fn choose(&self, asked: Option<&str>) -> Result<(String, Arc<Generation>), ManagerError> {
        if let Some(name) = asked {
            if !self.backends.contains_key(name) {
                return Err(self.unknown(name));
            }
            return Ok((name.to_owned(), self.supervisor.lease(name)?));
        }
        let mut first_refusal = None;
        for name in &self.order {
            match self.supervisor.lease(name) {
                Ok(generation) => return Ok((name.clone(), generation)),
                Err(not_up) => first_refusal = first_refusal.or(Some(not_up)),
            }
        }
        Err(first_refusal.map_or_else(|| self.unknown(""), ManagerError::from))
    }

    /// A backend's storage, for the transfer engine.
    pub(crate) fn storage(&self, backend: &str, generation: Arc<Generation>) -> Arc<BackendStore> {
        Arc::new(BackendStore::new(
            backend.to_owned(),
            generation,
            self.supervisor.clone(),
        ))
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

/// Keeps the services' records in the catalog fresh, so that any reader of the database can tell who is up.
async fn record_heartbeats(manager: Arc<Manager>) {
    let mut events = manager.supervisor.events();
    let manager = Arc::downgrade(&manager);
    loop {
        let name = match events.recv().await {
            Ok(Event::Heartbeat { backend, .. } | Event::State { backend, .. }) => backend,
            Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => continue,
            Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
        };
        let Some(manager) = manager.upgrade() else { return };
        let Ok(service) = manager.service(&name) else {
            continue;
        };
        let status = service.status;
        let record = ServiceRecord {
            name,
            host: manager.options.host.clone(),
            driver: service.driver,
            phase: status.phase.to_string(),
            code: status.code,
            message: status.message,
            report_count: 0,
            updated_at: Timestamp::now(),
        };
        if let Err(error) = manager.catalog.heartbeat(&record).await {
            tracing::warn!(backend = %record.name, %error, "the heartbeat cannot be recorded");
        }
    }
}
