//! How much a project may have, and has: Cinder's quotas. What is used is counted from the records, never kept beside them.

use std::collections::BTreeMap;

use cofferdam_catalog::{Limits, Quota, Repository as _, Usage};

use crate::error::ManagerError;
use crate::manager::Manager;

/// Limits of a project without limits of its own; -1 is none (cinder: `quota_backups` and its like).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaDefaults {
    /// Backups, in number.
    pub backups: i64,
    /// GiB of the volumes of all backups.
    pub backup_gigabytes: i64,
    /// Volumes, in number.
    pub volumes: i64,
    /// GiB of volumes and snapshots.
    pub gigabytes: i64,
    /// Snapshots, in number.
    pub snapshots: i64,
}

impl QuotaDefaults {
    /// One of them.
    pub fn of(&self, quota: Quota) -> i64 {
        match quota {
            Quota::Backups => self.backups,
            Quota::BackupGigabytes => self.backup_gigabytes,
            Quota::Volumes => self.volumes,
            Quota::Gigabytes => self.gigabytes,
            Quota::Snapshots => self.snapshots,
        }
    }

    pub(crate) fn for_backups(&self) -> Limits {
        Limits {
            count: self.backups,
            gigabytes: self.backup_gigabytes,
        }
    }

    pub(crate) fn for_volumes(&self) -> Limits {
        Limits {
            count: self.volumes,
            gigabytes: self.gigabytes,
        }
    }

    pub(crate) fn for_snapshots(&self) -> Limits {
        Limits {
            count: self.snapshots,
            gigabytes: self.gigabytes,
        }
    }
}

/// A project's limits and what it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectQuotas {
    /// The limits that hold.
    pub limits: BTreeMap<Quota, i64>,
    /// What is used.
    pub usage: Usage,
}

impl Manager {
    /// The limits of projects that have none of their own.
    pub fn default_quotas(&self) -> QuotaDefaults {
        self.options.quotas
    }

    /// A project's limits and what it has.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn quotas(&self, project: &str) -> Result<ProjectQuotas, ManagerError> {
        let own = self.catalog.quotas(project).await?;
        let limit = |quota: &Quota| {
            let limit = own.get(quota).copied();
            (*quota, limit.unwrap_or_else(|| self.options.quotas.of(*quota)))
        };
        Ok(ProjectQuotas {
            limits: Quota::ALL.iter().map(limit).collect(),
            usage: self.catalog.usage(project).await?,
        })
    }

    /// Sets limits of a project; `None` takes one away.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn set_quotas(
        &self,
        project: &str,
        limits: &[(Quota, Option<i64>)],
    ) -> Result<(), ManagerError> {
        for (quota, limit) in limits {
            self.catalog.set_quota(project, *quota, *limit).await?;
        }
        Ok(())
    }
}
