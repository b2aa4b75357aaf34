//! Ids with a type each, so that a volume's is never taken for a backup's, and the name of whatever an error is about.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map($name)
            }
        }
    };
}

id! {
    /// Identifies a backup.
    BackupId
}
id! {
    /// Identifies a volume.
    VolumeId
}
id! {
    /// Identifies a snapshot of a volume.
    SnapshotId
}

/// What an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A backup.
    Backup(BackupId),
    /// A volume.
    Volume(VolumeId),
    /// A snapshot.
    Snapshot(SnapshotId),
    /// A message to a user.
    Message(Uuid),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Backup(id) => write!(f, "backup {id}"),
            Subject::Volume(id) => write!(f, "volume {id}"),
            Subject::Snapshot(id) => write!(f, "snapshot {id}"),
            Subject::Message(id) => write!(f, "message {id}"),
        }
    }
}

impl From<BackupId> for Subject {
    fn from(id: BackupId) -> Self {
        Subject::Backup(id)
    }
}

impl From<VolumeId> for Subject {
    fn from(id: VolumeId) -> Self {
        Subject::Volume(id)
    }
}

impl From<SnapshotId> for Subject {
    fn from(id: SnapshotId) -> Self {
        Subject::Snapshot(id)
    }
}
