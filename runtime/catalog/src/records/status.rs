//! Statuses of backups, volumes and snapshots, with Cinder's words, and the tables of their changes.
//!
//! One macro gives each enum its words in both directions; one `match` each is the table. Only an administrator's reset
//! goes past a table, and never into a status that an operation would have to bring to an end.

use std::fmt;
use std::str::FromStr;

macro_rules! statuses {
    ($(#[$doc:meta])* $name:ident, $of:literal, { $($(#[$one:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$one])* $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// Cinder's word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }

            /// Whether a change to that status may be made: by the table, or by an administrator's reset to a status that
            /// no operation has to end.
            pub(crate) fn allows(self, next: $name, reset: bool) -> bool {
                next == self || self.may_become(next) || (reset && !next.is_transient())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let found = $name::ALL.iter().find(|status| status.as_str() == text);
                found.copied().ok_or_else(|| format!("{text:?} is no status of a {}", $of))
            }
        }
    };
}

statuses! {
    /// Cinder's status of a backup (cinder: `cinder/objects/fields.py`, `BackupStatus`).
    BackupStatus, "backup", {
        /// Being made.
        Creating = "creating",
        /// Complete: restores bit for bit.
        Available = "available",
        /// Being restored from.
        Restoring = "restoring",
        /// Being deleted.
        Deleting = "deleting",
        /// Not complete; good for nothing but to be deleted.
        Error = "error",
        /// Could not be deleted; may be tried again.
        ErrorDeleting = "error_deleting",
    }
}

impl BackupStatus {
    /// The table of changes: whether a backup may go from this status to that one.
    pub fn may_become(self, next: BackupStatus) -> bool {
        use BackupStatus::{Available, Creating, Deleting, Error, ErrorDeleting, Restoring};
        matches!(
            (self, next),
            (Creating, Available | Error | Deleting)
                | (Available, Restoring | Deleting)
                | (Restoring, Available | Deleting)
                | (Error, Deleting)
                | (Deleting, ErrorDeleting)
                | (ErrorDeleting, Deleting)
        )
    }

    /// Whether an operation is under way that will end the status.
    pub fn is_transient(self) -> bool {
        use BackupStatus::{Creating, Deleting, Restoring};
        matches!(self, Creating | Restoring | Deleting)
    }
}

statuses! {
    /// Cinder's status of a volume (cinder: `cinder/objects/fields.py`, `VolumeStatus`), as far as backups know them.
    VolumeStatus, "volume", {
        /// Being made.
        Creating = "creating",
        /// Free to be used.
        Available = "available",
        /// Used by a machine.
        InUse = "in-use",
        /// Being read by a backup.
        BackingUp = "backing-up",
        /// Being written by a restore.
        RestoringBackup = "restoring-backup",
        /// Being made larger.
        Extending = "extending",
        /// Being deleted.
        Deleting = "deleting",
        /// Could not be made, or was found broken.
        Error = "error",
        /// Could not be deleted.
        ErrorDeleting = "error_deleting",
        /// A restore failed: its content is neither the old nor the new.
        ErrorRestoring = "error_restoring",
        /// Could not be made larger.
        ErrorExtending = "error_extending",
        /// Its backup could not be ended in order.
        ErrorBackingUp = "error_backing-up",
    }
}

impl VolumeStatus {
    /// The table of changes: whether a volume may go from this status to that one.
    pub fn may_become(self, next: VolumeStatus) -> bool {
        use VolumeStatus::{
            Available, BackingUp, Creating, Deleting, Error, ErrorBackingUp, ErrorDeleting, ErrorExtending,
            ErrorRestoring, Extending, InUse, RestoringBackup,
        };
        match self {
            Creating => matches!(
                next,
                Available | Error | RestoringBackup | ErrorRestoring | Deleting
            ),
            Available => matches!(
                next,
                BackingUp | RestoringBackup | Extending | Deleting | InUse | Error
            ),
            InUse => matches!(next, BackingUp | Available),
            BackingUp => matches!(next, Available | InUse | Error | ErrorBackingUp),
            RestoringBackup => matches!(next, Available | ErrorRestoring | Error),
            Extending => matches!(next, Available | ErrorExtending),
            Deleting => matches!(next, ErrorDeleting),
            Error | ErrorDeleting | ErrorRestoring | ErrorExtending | ErrorBackingUp => {
                matches!(next, Deleting)
            }
        }
    }

    /// Whether an operation is under way that will end the status.
    pub fn is_transient(self) -> bool {
        use VolumeStatus::{BackingUp, Creating, Deleting, Extending, RestoringBackup};
        matches!(
            self,
            Creating | BackingUp | RestoringBackup | Extending | Deleting
        )
    }
}

statuses! {
    /// Cinder's status of a snapshot (cinder: `cinder/objects/fields.py`, `SnapshotStatus`).
    SnapshotStatus, "snapshot", {
        /// Being made.
        Creating = "creating",
        /// Complete.
        Available = "available",
        /// Being read by a backup.
        BackingUp = "backing-up",
        /// Being deleted.
        Deleting = "deleting",
        /// Could not be made.
        Error = "error",
        /// Could not be deleted.
        ErrorDeleting = "error_deleting",
    }
}

impl SnapshotStatus {
    /// The table of changes: whether a snapshot may go from this status to that one.
    pub fn may_become(self, next: SnapshotStatus) -> bool {
        use SnapshotStatus::{Available, BackingUp, Creating, Deleting, Error, ErrorDeleting};
        matches!(
            (self, next),
            (Creating, Available | Error | Deleting)
                | (Available, BackingUp | Deleting | Error)
                | (BackingUp, Available | Error)
                | (Deleting, ErrorDeleting)
                | (Error | ErrorDeleting, Deleting)
        )
    }

    /// Whether an operation is under way that will end the status.
    pub fn is_transient(self) -> bool {
        use SnapshotStatus::{BackingUp, Creating, Deleting};
        matches!(self, Creating | BackingUp | Deleting)
    }
}
