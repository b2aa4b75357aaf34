//! What a project may have, and what it has. A use is always derived from the records, so it cannot drift away from them.

use std::fmt;
use std::str::FromStr;

/// What is limited for each project (Cinder's names of resources).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quota {
    /// Backups, in number.
    Backups,
    /// The volumes' sizes of all backups, also of incremental ones, in GiB.
    BackupGigabytes,
    /// Volumes, in number.
    Volumes,
    /// Sizes of volumes and snapshots, in GiB.
    Gigabytes,
    /// Snapshots, in number.
    Snapshots,
}

impl Quota {
    /// All of them.
    pub const ALL: &'static [Quota] = &[
        Quota::Backups,
        Quota::BackupGigabytes,
        Quota::Volumes,
        Quota::Gigabytes,
        Quota::Snapshots,
    ];

    /// Cinder's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Quota::Backups => "backups",
            Quota::BackupGigabytes => "backup_gigabytes",
            Quota::Volumes => "volumes",
            Quota::Gigabytes => "gigabytes",
            Quota::Snapshots => "snapshots",
        }
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Quota {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Quota::ALL.iter().find(|quota| quota.as_str() == text);
        found.copied().ok_or_else(|| format!("{text:?} is no quota"))
    }
}

/// The default limits for one step: of the number and of the GiB that it counts against. A project's own limits win over
/// them. -1 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of backups, volumes or snapshots, in number.
    pub count: i64,
    /// Of backup_gigabytes or gigabytes.
    pub gigabytes: i64,
}

impl Limits {
    /// No default limits: only the project's own bind.
    pub const NONE: Limits = Limits {
        count: -1,
        gigabytes: -1,
    };
}

/// A number of records and the sum of their sizes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// How many.
    pub count: u64,
    /// Their sizes, in GiB.
    pub gigabytes: u64,
}

/// What a project has: every record that is not deleted, whatever its status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Usage {
    pub backups: Used,
    pub volumes: Used,
    pub snapshots: Used,
}

impl Usage {
    /// How much of that is used.
    pub fn of(&self, quota: Quota) -> u64 {
        match quota {
            Quota::Backups => self.backups.count,
            Quota::BackupGigabytes => self.backups.gigabytes,
            Quota::Volumes => self.volumes.count,
            Quota::Gigabytes => self.volumes.gigabytes.saturating_add(self.snapshots.gigabytes),
            Quota::Snapshots => self.snapshots.count,
        }
    }
}
