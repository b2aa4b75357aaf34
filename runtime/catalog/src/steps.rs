//! Changes that belong together: a list of steps is made as a whole or not at all.
//!
//! A step names what it expects (a status, a fence, a limit); what is not as expected undoes all steps before it. So a
//! backup and its volume, or a record and the quota that it uses, can never be seen half changed.

use std::time::Duration;

use uuid::Uuid;

use crate::records::{
    BackupId, BackupRecord, BackupStatus, Change, Limits, MessageRecord, SnapshotChange, SnapshotId,
    SnapshotRecord, SnapshotStatus, VolumeChange, VolumeId, VolumeRecord, VolumeStatus,
};

/// Proof of a claim on a backup. Each new claim on it has a greater one; changes under an older one are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub u64);

/// One change. `from` are the statuses in which it may be made; `quotas` are the default limits that it counts against,
/// and without them it counts against none.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the fields are explained above and at their types")]
pub enum Step {
    /// Records a new backup. What it builds on must be there and whole.
    InsertBackup {
        record: Box<BackupRecord>,
        quotas: Option<Limits>,
    },
    /// Changes a backup. With a fence it is refused when the claim is another's by now; without one it is not asked.
    ChangeBackup {
        id: BackupId,
        from: Vec<BackupStatus>,
        change: Box<Change>,
        fence: Option<Fence>,
    },
    /// Takes a backup that is `deleting` out of all lists; the row stays.
    DeleteBackup { id: BackupId, fence: Option<Fence> },
    /// Claims a backup for an operation of that owner until the time has passed, unless another's claim lives. A claim of
    /// the same owner is given anew, and its older fence is worth nothing then.
    Claim {
        id: BackupId,
        owner: Uuid,
        ttl: Duration,
    },
    /// Keeps a claim for that much longer from now.
    Renew {
        id: BackupId,
        fence: Fence,
        ttl: Duration,
    },
    /// Gives a claim up. Its fence is worth nothing then.
    Release { id: BackupId, fence: Fence },
    /// Records a new volume.
    InsertVolume {
        record: Box<VolumeRecord>,
        quotas: Option<Limits>,
    },
    /// Changes a volume. Only what it grows by counts against `quotas`.
    ChangeVolume {
        id: VolumeId,
        from: Vec<VolumeStatus>,
        change: Box<VolumeChange>,
        quotas: Option<Limits>,
    },
    /// Takes a volume that is `deleting` and has no snapshots out of all lists; the row stays.
    DeleteVolume { id: VolumeId },
    /// Records a new snapshot of a volume that is there.
    InsertSnapshot {
        record: Box<SnapshotRecord>,
        quotas: Option<Limits>,
    },
    /// Changes a snapshot.
    ChangeSnapshot {
        id: SnapshotId,
        from: Vec<SnapshotStatus>,
        change: Box<SnapshotChange>,
    },
    /// Takes a snapshot that is `deleting` out of all lists; the row stays.
    DeleteSnapshot { id: SnapshotId },
    /// Records a message to a user.
    Message(Box<MessageRecord>),
}

impl Step {
    /// A change of a backup that needs no claim.
    pub fn change_backup(id: BackupId, from: &[BackupStatus], change: Change) -> Step {
        Step::ChangeBackup {
            id,
            from: from.to_vec(),
            change: Box::new(change),
            fence: None,
        }
    }

    /// A change of a volume that does not count against a quota.
    pub fn change_volume(id: VolumeId, from: &[VolumeStatus], change: VolumeChange) -> Step {
        Step::ChangeVolume {
            id,
            from: from.to_vec(),
            change: Box::new(change),
            quotas: None,
        }
    }

    /// A change of a snapshot.
    pub fn change_snapshot(id: SnapshotId, from: &[SnapshotStatus], change: SnapshotChange) -> Step {
        Step::ChangeSnapshot {
            id,
            from: from.to_vec(),
            change: Box::new(change),
        }
    }
}

/// What came of a step, at the same place in the list.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    /// The backup as it is now.
    Backup(Box<BackupRecord>),
    /// The volume as it is now.
    Volume(Box<VolumeRecord>),
    /// The snapshot as it is now.
    Snapshot(Box<SnapshotRecord>),
    /// The claim's fence.
    Claimed(Fence),
    /// Done, and there is nothing to tell.
    Done,
}
