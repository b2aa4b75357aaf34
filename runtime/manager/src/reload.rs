//! A new configuration for a running service: check all of it, then change what differs.
//!
//! Unchanged backends are left alone. A changed one is initialised anew, and what works of it serves on until the
//! outcome. A removed one takes nothing new; what runs on it is finished. Nothing is changed when any changed or new
//! backend does not fit its driver: that is found out by loading the driver and asking it to describe itself, which
//! touches no storage. One reload at a time.

use std::sync::{Arc, PoisonError};

use futures::future::join_all;
use serde::{Deserialize, Serialize};

use crate::driver::BackendDriver;
use crate::error::ManagerError;
use crate::inspect::{Refusal, refusal};
use crate::manager::{Backends, Manager};
use crate::options::{BackendOptions, ServiceOptions};

/// What a reload did. Names of backends, in the order of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// New ones.
    pub added: Vec<String>,
    /// Those that are initialised anew.
    pub changed: Vec<String>,
    /// Those that are there no longer.
    pub removed: Vec<String>,
    /// Those that were left alone.
    pub unchanged: Vec<String>,
    /// Options of the service that differ and hold from the next start on.
    pub needs_restart: Vec<String>,
}

/// Why a new configuration was not taken.
#[derive(Debug, Clone)]
pub enum ReloadError {
    /// A backend does not fit its driver.
    Backend {
        /// The backend.
        name: String,
        /// What is wrong.
        refusal: Refusal,
    },
    /// The service cannot take it now.
    Manager(ManagerError),
}

impl Manager {
    /// Takes a new configuration.
    ///
    /// # Errors
    /// [`ReloadError`]; nothing has changed then.
    pub async fn reload(
        &self,
        service: &ServiceOptions,
        backends: Vec<BackendOptions>,
    ) -> Result<Reloaded, ReloadError> {
        let _one = self.reloading.lock().await;
        self.check_running().map_err(ReloadError::Manager)?;
        let old = self.backends();
        let mut done = Reloaded {
            needs_restart: differences(&self.options, service),
            ..Reloaded::default()
        };
        let (mut next, mut new) = (Vec::with_capacity(backends.len()), Vec::new());
        for options in backends {
            let name = options.name.clone();
            let present = old.drivers.get(&name);
            match present {
                Some(driver) if driver.options == options => {
                    done.unchanged.push(name);
                    next.push(driver.clone());
                    continue;
                }
                Some(_) => done.changed.push(name),
                None => done.added.push(name),
            }
            let driver = Arc::new(BackendDriver::new(self.sandbox.clone(), options));
            new.push(driver.clone());
            next.push(driver);
        }
        let checks = join_all(new.iter().map(|driver| driver.check())).await;
        for (driver, check) in new.iter().zip(checks) {
            check.map_err(|failure| ReloadError::Backend {
                name: driver.options.name.clone(),
                refusal: refusal(&failure),
            })?;
        }
        let next = Backends::new(next);
        done.removed = old
            .order
            .iter()
            .filter(|name| !next.drivers.contains_key(*name))
            .cloned()
            .collect();
        *self.backends.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        for name in &done.removed {
            self.supervisor.remove(name).await;
        }
        for driver in new {
            let (name, supervision) = (driver.options.name.clone(), driver.options.supervision.clone());
            if !self
                .supervisor
                .configure(&name, driver.clone(), supervision.clone())
                .await
            {
                self.supervisor.add(&name, driver, supervision);
            }
        }
        tracing::info!(
            added = done.added.len(),
            changed = done.changed.len(),
            removed = done.removed.len(),
            unchanged = done.unchanged.len(),
            needs_restart = %done.needs_restart.join(", "),
            "the configuration was reloaded"
        );
        Ok(done)
    }
}

/// Options of the service that differ, by the names that they have in the configuration.
fn differences(now: &ServiceOptions, new: &ServiceOptions) -> Vec<String> {
    let ServiceOptions {
        state_path,
        host,
        availability_zone,
        inithost_offload,
        resume_backups: _,
        transfer_memory,
        transfer_parallelism,
        event_history,
        verify_within,
        webhook,
        max_operations,
        volume_folders,
        registered_volumes,
        quotas,
    } = new;
    let differs = [
        ("state_path", now.state_path != *state_path),
        ("host", now.host != *host),
        (
            "storage_availability_zone",
            now.availability_zone != *availability_zone,
        ),
        (
            "backup_service_inithost_offload",
            now.inithost_offload != *inithost_offload,
        ),
        ("transfer_memory", now.transfer_memory != *transfer_memory),
        (
            "transfer_parallelism",
            now.transfer_parallelism != *transfer_parallelism,
        ),
        ("event_history", now.event_history != *event_history),
        ("backup_verify_within", now.verify_within != *verify_within),
        ("event_webhook", now.webhook != *webhook),
        ("backup_max_operations", now.max_operations != *max_operations),
        ("volume_folders", now.volume_folders != *volume_folders),
        ("volumes", now.registered_volumes != *registered_volumes),
        ("quota_*", now.quotas != *quotas),
    ];
    let names = differs.into_iter().filter(|(_, differs)| *differs);
    names.map(|(name, _)| name.to_owned()).collect()
}
