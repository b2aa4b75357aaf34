//! Which backend a new backup goes to, and why: the choice is kept on the record in a sentence, and a refusal names what hinders
//! each backend.
//!
//! In this order: the backend that is asked for, or that the chain is on; else, of those that are switched on, up and in the
//! wanted zone, one that has backups of the wanted container already; else the one with the fewest operations, the first in the
//! configuration among equals. Cinder chooses by chance, and finds out afterwards whether it was up. Cost: one query.

use std::collections::BTreeMap;
use std::sync::Arc;

use cofferdam_catalog::{BackupColumn, BackupQuery, Filter, Repository as _};

use crate::driver::Generation;
use crate::error::ManagerError;
use crate::manager::Manager;

/// What a new backup needs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    /// That backend and no other, and why.
    pub(crate) backend: Option<(&'a str, Because)>,
    /// A backend in that availability zone.
    pub(crate) zone: Option<&'a str>,
    /// A backend with that container, if one has it.
    pub(crate) container: Option<&'a str>,
}

/// Why there is no choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Because {
    /// The request names it.
    Asked,
    /// What an incremental backup builds on is there.
    Chain,
}

/// The backend that was chosen.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) backend: String,
    pub(crate) zone: String,
    pub(crate) generation: Arc<Generation>,
    pub(crate) why: String,
}

impl Manager {
    /// Chooses a backend.
    ///
    /// # Errors
    /// [`ManagerError::UnknownBackend`]; [`ManagerError::BackendDown`] and [`ManagerError::Disabled`] for one that is asked
    /// for; [`ManagerError::NoBackend`] with what hinders each.
    pub(crate) async fn schedule(&self, wanted: Wanted<'_>) -> Result<Chosen, ManagerError> {
        if let Some((name, because)) = wanted.backend {
            let switch = self.switched(name);
            if switch.disabled {
                return Err(ManagerError::Disabled {
                    name: name.to_owned(),
                    reason: switch.reason.unwrap_or_else(|| "no reason was given".into()),
                });
            }
            let (backend, generation) = self.choose(Some(name))?;
            let why = match because {
                Because::Asked => "the request asked for it".to_owned(),
                Because::Chain => "what it builds on is there".to_owned(),
            };
            let zone = self.zone_of(&backend);
            return Ok(Chosen {
                backend,
                zone,
                generation,
                why,
            });
        }
        let (mut fit, mut hindered) = (Vec::new(), Vec::new());
        for name in &self.backends().order {
            match self.hindrance(name, wanted.zone) {
                Ok(generation) => fit.push((name.clone(), generation)),
                Err(reason) => hindered.push((name.clone(), reason)),
            }
        }
        let up = fit.len();
        let holder = match wanted.container {
            Some(container) if up > 1 => self.holder_of(container).await?,
            _ => None,
        };
        let held = fit.iter().position(|(name, _)| Some(name) == holder.as_ref());
        let (at, why) = match held {
            Some(at) => (at, "it has backups in that container already".to_owned()),
            None => {
                let loads = self.loads().await?;
                let load = |name: &String| loads.get(name).copied().unwrap_or(0);
                let least = fit
                    .iter()
                    .enumerate()
                    .min_by_key(|(at, (name, _))| (load(name), *at));
                let Some((at, (name, _))) = least else {
                    return Err(ManagerError::NoBackend { reasons: hindered });
                };
                let why = match up {
                    1 => "it is the only one that can take it".to_owned(),
                    _ => format!(
                        "it has the fewest operations ({}) of {up} that can take it",
                        load(name)
                    ),
                };
                (at, why)
            }
        };
        let (backend, generation) = fit.swap_remove(at);
        let others: Vec<_> = hindered
            .iter()
            .map(|(name, reason)| format!("{name} {reason}"))
            .collect();
        let why = match others.is_empty() {
            true => why,
            false => format!("{why}; {}", others.join("; ")),
        };
        Ok(Chosen {
            zone: self.zone_of(&backend),
            backend,
            generation,
            why,
        })
    }

    /// Instances of a backend that can take a backup, or what hinders it.
    fn hindrance(&self, name: &str, zone: Option<&str>) -> Result<Arc<Generation>, String> {
        let switch = self.switched(name);
        if switch.disabled {
            let reason = switch.reason.unwrap_or_else(|| "without a reason".into());
            return Err(format!("is disabled ({reason})"));
        }
        let own = self.zone_of(name);
        if zone.is_some_and(|zone| zone != own) {
            return Err(format!("is in availability zone {own}"));
        }
        self.supervisor
            .lease(name)
            .map_err(|not_up| match ManagerError::from(not_up) {
                ManagerError::BackendDown { reason, .. } => format!("is down ({reason})"),
                other => other.to_string(),
            })
    }

    /// The backend that has the newest backup in a container.
    async fn holder_of(&self, container: &str) -> Result<Option<String>, ManagerError> {
        let query = BackupQuery {
            filters: vec![Filter::Equal(BackupColumn::Container, container.to_owned())],
            limit: 1,
            ..BackupQuery::default()
        };
        let found = self.catalog.list_backups(&query).await?;
        Ok(found.into_iter().next().map(|record| record.backend))
    }

    /// Operations that are under way, by backend.
    async fn loads(&self) -> Result<BTreeMap<String, usize>, ManagerError> {
        let mut loads = BTreeMap::new();
        for record in self.catalog.unfinished().await? {
            *loads.entry(record.backend).or_insert(0) += 1;
        }
        Ok(loads)
    }
}
