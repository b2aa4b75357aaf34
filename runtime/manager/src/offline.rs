//! What the catalog says of the services when no service runs: nothing is up, and what was last known is told.

use cofferdam_catalog::{Catalog, EventRecord, Repository as _};
use cofferdam_supervisor::{Phase, ServiceState, Status};

use crate::error::ManagerError;
use crate::manager::ServiceStatus;
use crate::options::ServiceOptions;

/// Code of a backend whose service does not run.
const NOT_RUNNING: &str = "not-running";
const REMEDY: &str = "start the service: cofferdam run";

/// The records of a state folder that no service uses now.
#[derive(Debug)]
pub struct Offline {
    /// None: no service has ever run there.
    catalog: Option<Catalog>,
    host: String,
}

impl Offline {
    /// Opens the catalog, if there is one.
    ///
    /// # Errors
    /// When there is one and it cannot be read.
    pub async fn open(options: &ServiceOptions) -> Result<Self, ManagerError> {
        let path = crate::catalog::catalog_path(options);
        let catalog = if path.exists() {
            Some(Catalog::open(&path).await?)
        } else {
            None
        };
        Ok(Offline {
            catalog,
            host: options.host.clone(),
        })
    }

    /// The named backends, all down, with what was last known of them.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn services(&self, names: &[String]) -> Result<Vec<ServiceStatus>, ManagerError> {
        let records = match &self.catalog {
            Some(catalog) => catalog.services().await?,
            None => Vec::new(),
        };
        let last_known = |name: &String| {
            let record = records
                .iter()
                .find(|record| record.host == self.host && &record.name == name);
            let Some(record) = record else {
                let message = "no service runs here, and none has run with this backend".into();
                return Ok(ServiceStatus {
                    status: Status::down(name, NOT_RUNNING, message, REMEDY),
                    driver: String::new(),
                    threads_ending: 0,
                    disabled: false,
                    disabled_reason: None,
                });
            };
            let mut service: ServiceStatus = serde_json::from_str(&record.status).map_err(|error| {
                ManagerError::Catalog(format!("the record of service {name} is damaged: {error}"))
            })?;
            let status = &mut service.status;
            let last = match (&status.code, record.heartbeat) {
                (Some(code), _) if status.state == ServiceState::Down && code != "stopped" => {
                    format!("it was down before: {code}")
                }
                (_, Some(beat)) => format!("the last heartbeat was at {beat:.0}"),
                (_, None) => "it was never up".into(),
            };
            status.code = Some(NOT_RUNNING.into());
            status.message = Some(format!("no service runs here; {last}"));
            status.remedy = Some(REMEDY.into());
            status.phase = Phase::Down;
            status.state = ServiceState::Down;
            status.next_try = None;
            service.threads_ending = 0;
            Ok(service)
        };
        names.iter().map(last_known).collect()
    }

    /// As [`crate::Manager::events`].
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn events(
        &self,
        backend: Option<&str>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<EventRecord>, ManagerError> {
        match &self.catalog {
            Some(catalog) => Ok(catalog.events(&self.host, backend, after, limit).await?),
            None => Ok(Vec::new()),
        }
    }

    /// Closes the catalog.
    pub async fn close(self) {
        if let Some(catalog) = self.catalog {
            catalog.close().await;
        }
    }
}
