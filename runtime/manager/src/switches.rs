//! Switching a backend off for new backups and on again (Cinder's `os-services`), and what availability zones there are.
//!
//! A switch outlives the service. What is switched off still restores, verifies and deletes: nobody's data is held back.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use cofferdam_catalog::{Repository as _, ServiceSwitch};
use cofferdam_supervisor::ServiceState;
use jiff::Timestamp;

use crate::error::ManagerError;
use crate::manager::Manager;

/// A backend as Cinder's clients know a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switched {
    /// The backend.
    pub backend: String,
    /// `HOST@BACKEND`.
    pub host: String,
    /// Its availability zone.
    pub zone: String,
    /// Whether it takes no new backups.
    pub disabled: bool,
    /// Why.
    pub reason: Option<String>,
    /// When it was last switched.
    pub modified_at: Option<Timestamp>,
}

impl Manager {
    /// How a backend is switched.
    pub fn switched(&self, backend: &str) -> Switched {
        let switches = self.switches.read().unwrap_or_else(PoisonError::into_inner);
        let found = switches.get(backend);
        Switched {
            backend: backend.to_owned(),
            host: format!("{}@{backend}", self.options.host),
            zone: self.zone_of(backend),
            disabled: found.is_some_and(|switch| switch.disabled),
            reason: found.and_then(|switch| switch.reason.clone()),
            modified_at: found.map(|switch| switch.modified_at),
        }
    }

    /// Switches a backend off for new backups, or on.
    ///
    /// # Errors
    /// [`ManagerError::UnknownBackend`], or when the catalog cannot be written.
    pub async fn switch(
        &self,
        backend: &str,
        disabled: bool,
        reason: Option<String>,
    ) -> Result<(), ManagerError> {
        self.service(backend)?;
        let switch = ServiceSwitch {
            host: self.options.host.clone(),
            name: backend.to_owned(),
            disabled,
            reason: reason.filter(|_| disabled),
            modified_at: Timestamp::now(),
        };
        self.catalog.set_switch(&switch).await?;
        tracing::info!(
            backend,
            disabled,
            reason = switch.reason,
            "a backend was switched"
        );
        let mut switches = self.switches.write().unwrap_or_else(PoisonError::into_inner);
        switches.insert(backend.to_owned(), switch);
        Ok(())
    }

    /// The availability zones, and whether a backend in each can take backups.
    pub fn zones(&self) -> BTreeMap<String, bool> {
        let mut zones = BTreeMap::from([(self.options.availability_zone.clone(), false)]);
        for service in self.services() {
            let switch = self.switched(&service.status.name);
            let works = service.status.state == ServiceState::Up && !switch.disabled;
            *zones.entry(switch.zone).or_insert(false) |= works;
        }
        zones
    }

    /// A backend's availability zone.
    pub(crate) fn zone_of(&self, backend: &str) -> String {
        let backends = self.backends();
        let driver = backends.drivers.get(backend);
        driver.map_or_else(
            || self.options.availability_zone.clone(),
            |driver| driver.options.availability_zone.clone(),
        )
    }
}
