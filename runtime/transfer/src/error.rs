//! Everything that can go wrong on the way between a volume and a backend, as values.
//!
//! Rules: a code is stable (it appears in the API, on records and in tests); the text says what was attempted and
//! what was found, and may get better; the remedy says what to do. A fault of the storage keeps its own code.

use std::path::PathBuf;

use cofferdam_sandbox::Failure;

/// Why a transfer did not succeed, or what is wrong with a backup.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum TransferError {
    /// The storage or its driver failed.
    #[error("{action}: {failure}")]
    Store { action: String, failure: Failure },
    /// The request cannot be meant.
    #[error("{reason}")]
    InvalidRequest { reason: String },
    /// There is nothing to back up.
    #[error("the volume {} is empty", path.display())]
    EmptyVolume { path: PathBuf },
    /// An object would be greater than the storage can hold.
    #[error("{what} has {wanted} bytes; the storage holds objects of at most {greatest}")]
    ObjectTooLarge {
        what: String,
        wanted: u64,
        greatest: u64,
    },
    /// The volume cannot be opened, or is no file or block device.
    #[error("the volume {} cannot be read: {reason}", path.display())]
    SourceUnusable { path: PathBuf, reason: String },
    /// Reading failed.
    #[error("reading the volume {} at byte {offset}: {reason}", path.display())]
    SourceRead {
        path: PathBuf,
        offset: u64,
        reason: String,
    },
    /// The volume became smaller meanwhile.
    #[error("the volume {} shrank from {expected} to {found} bytes while it was read", path.display())]
    VolumeShrank {
        path: PathBuf,
        expected: u64,
        found: u64,
    },
    /// The volume became another one meanwhile.
    #[error("the volume {} changed while it was read: {reason}", path.display())]
    VolumeChanged { path: PathBuf, reason: String },
    /// Something uses the volume.
    #[error("the device {} is in use: mounted, or part of another device", path.display())]
    VolumeInUse { path: PathBuf },
    /// The target cannot be opened, or is no file or block device.
    #[error("cannot restore to {}: {reason}", path.display())]
    TargetUnusable { path: PathBuf, reason: String },
    /// The target is there already.
    #[error("{} exists already", path.display())]
    TargetExists { path: PathBuf },
    /// Another restore writes to the target.
    #[error("another restore is writing to {}", path.display())]
    TargetBusy { path: PathBuf },
    /// The target is too small.
    #[error("{} has {size} bytes; the backup needs {needed}", path.display())]
    TargetTooSmall { path: PathBuf, size: u64, needed: u64 },
    /// The target's file system is full.
    #[error("no space is left for {}", path.display())]
    TargetFull { path: PathBuf },
    /// Writing failed.
    #[error("writing {}: {reason}", path.display())]
    TargetWrite { path: PathBuf, reason: String },
    /// The spool file cannot be used.
    #[error("spooling an object in {}: {reason}", path.display())]
    Spool { path: PathBuf, reason: String },
    /// The format version is not one we know.
    #[error("object {object} is of format version {found:?}; this program knows 1.0.0")]
    UnsupportedVersion { object: String, found: String },
    /// The compression is not one we know.
    #[error("unsupported compression algorithm {found:?}")]
    UnsupportedCompression { found: String },
    /// No incremental backup can be made on that parent.
    #[error("no incremental backup can be made on top of backup {parent}: {reason}")]
    IncrementalImpossible { parent: String, reason: String },
    /// The backup builds on another one than was said.
    #[error("backup {backup} builds on backup {found}, not on {expected}")]
    ChainBroken {
        backup: String,
        expected: String,
        found: String,
    },
    /// The objects belong to another backup than was asked for.
    #[error("object {object} has {what} {found}; expected was {expected}")]
    WrongBackup {
        object: String,
        what: &'static str,
        expected: String,
        found: String,
    },
    /// The metadata object cannot be what was written.
    #[error("object {object} is damaged: {reason}")]
    MetadataInvalid { object: String, reason: String },
    /// The sha256 object cannot be what was written.
    #[error("object {object} is damaged: {reason}")]
    Sha256fileInvalid { object: String, reason: String },
    /// An object of the backup is not there.
    #[error("object {object} is missing")]
    ObjectMissing { object: String },
    /// An object is there that the backup does not have.
    #[error("object {object} does not belong to the backup, yet has its prefix")]
    ObjectAdded { object: String },
    /// An object's content is not what was written.
    #[error("object {object} was altered: {reason}")]
    ObjectAltered { object: String, reason: String },
    /// An object ends too early or cannot be decoded.
    #[error("object {object} is truncated or undecodable: {reason}")]
    ObjectTruncated { object: String, reason: String },
    /// A listing makes no sense.
    #[error("the storage's listing of container {container:?} is not valid: {reason}")]
    ListingInvalid { container: String, reason: String },
    /// The driver broke its contract.
    #[error("the driver broke the contract: {reason}")]
    DriverContract { reason: String },
    /// Somebody asked to stop.
    #[error("the operation was cancelled")]
    Cancelled,
    /// A fault of this program or its machine.
    #[error("{reason}")]
    Internal { reason: String },
}

impl TransferError {
    /// Stable code; that of the failure when the storage failed.
    pub fn code(&self) -> &'static str {
        match self {
            TransferError::Store { failure, .. } => failure.code(),
            TransferError::InvalidRequest { .. } => "invalid-request",
            TransferError::EmptyVolume { .. } => "empty-volume",
            TransferError::ObjectTooLarge { .. } => "object-too-large",
            TransferError::SourceUnusable { .. } => "source-unusable",
            TransferError::SourceRead { .. } => "source-read",
            TransferError::VolumeShrank { .. } => "volume-shrank",
            TransferError::VolumeChanged { .. } => "volume-changed",
            TransferError::VolumeInUse { .. } => "volume-in-use",
            TransferError::TargetUnusable { .. } => "target-unusable",
            TransferError::TargetExists { .. } => "target-exists",
            TransferError::TargetBusy { .. } => "target-busy",
            TransferError::TargetTooSmall { .. } => "target-too-small",
            TransferError::TargetFull { .. } => "target-full",
            TransferError::TargetWrite { .. } => "target-write",
            TransferError::Spool { .. } => "spool",
            TransferError::UnsupportedVersion { .. } => "unsupported-version",
            TransferError::UnsupportedCompression { .. } => "unsupported-compression",
            TransferError::IncrementalImpossible { .. } => "incremental-impossible",
            TransferError::ChainBroken { .. } => "chain-broken",
            TransferError::WrongBackup { .. } => "wrong-backup",
            TransferError::MetadataInvalid { .. } => "metadata-invalid",
            TransferError::Sha256fileInvalid { .. } => "sha256file-invalid",
            TransferError::ObjectMissing { .. } => "object-missing",
            TransferError::ObjectAdded { .. } => "object-added",
            TransferError::ObjectAltered { .. } => "object-altered",
            TransferError::ObjectTruncated { .. } => "object-truncated",
            TransferError::ListingInvalid { .. } => "listing-invalid",
            TransferError::DriverContract { .. } => "driver-contract",
            TransferError::Cancelled => "cancelled",
            TransferError::Internal { .. } => "internal",
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> String {
        let text = match self {
            TransferError::Store { failure, .. } => return failure.remedy(),
            TransferError::InvalidRequest { .. } => "mend the request or the driver's placement",
            TransferError::EmptyVolume { .. } => "check the path: an empty volume needs no backup",
            TransferError::ObjectTooLarge { .. } => "configure smaller objects, or larger hash blocks",
            TransferError::SourceUnusable { .. } => {
                "give the path of a raw file or block device that may be read"
            }
            TransferError::SourceRead { .. } => "check the disk under the volume",
            TransferError::VolumeShrank { .. } => "back up a snapshot, or stop what writes to the volume",
            TransferError::VolumeChanged { .. } | TransferError::VolumeInUse { .. } => {
                "back up a snapshot, or stop what writes to the volume; or force it (`--force`), and a restore gives a volume \
                 as after a power cut, or worse"
            }
            TransferError::TargetUnusable { .. } => {
                "give a path that may be written: a new file, a file or a block device"
            }
            TransferError::TargetExists { .. } => "choose another name, or allow overwriting",
            TransferError::TargetBusy { .. } => "wait for it, or choose another target",
            TransferError::TargetTooSmall { .. } => {
                "restore to a greater device or to a new file; nothing was written"
            }
            TransferError::TargetFull { .. } => {
                "free space and restore again; a new file was not left behind"
            }
            TransferError::TargetWrite { .. } => "check the disk under the target and restore again",
            TransferError::Spool { .. } => "free space in the spool folder, or check its rights",
            TransferError::UnsupportedVersion { .. } | TransferError::UnsupportedCompression { .. } => {
                "use a newer version of this program"
            }
            TransferError::IncrementalImpossible { .. } => "make a full backup",
            TransferError::ChainBroken { .. } => "adopt the backups that it builds on, the oldest first",
            TransferError::WrongBackup { .. } => "check the record's container and prefix",
            TransferError::MetadataInvalid { .. }
            | TransferError::Sha256fileInvalid { .. }
            | TransferError::ObjectMissing { .. }
            | TransferError::ObjectAltered { .. }
            | TransferError::ObjectTruncated { .. } => {
                "do not rely on this backup: use another one, and check the storage"
            }
            TransferError::ObjectAdded { .. } => "find out who put it there, remove it, and try again",
            TransferError::ListingInvalid { .. } | TransferError::DriverContract { .. } => {
                "report it to the driver's author"
            }
            TransferError::Cancelled => "start it again",
            TransferError::Internal { .. } => {
                "see the log; report it if the machine has memory and threads left"
            }
        };
        text.to_owned()
    }

    /// Whether it says that the backup itself is damaged, rather than that it could not be read.
    pub fn is_corruption(&self) -> bool {
        matches!(
            self,
            TransferError::WrongBackup { .. }
                | TransferError::ChainBroken { .. }
                | TransferError::MetadataInvalid { .. }
                | TransferError::Sha256fileInvalid { .. }
                | TransferError::ObjectMissing { .. }
                | TransferError::ObjectAdded { .. }
                | TransferError::ObjectAltered { .. }
                | TransferError::ObjectTruncated { .. }
        )
    }

    pub(crate) fn internal(reason: impl Into<String>) -> Self {
        TransferError::Internal {
            reason: reason.into(),
        }
    }
}
