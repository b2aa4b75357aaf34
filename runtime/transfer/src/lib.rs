//! Backups in Cinder's chunked format: the bytes on the backend, and the pipelines that move them.
//!
//! The way in is one function per operation: [`backup()`], [`restore()`], [`verify()`], [`delete()`]. Each sees the
//! backend through [`ObjectStore`] alone, so all of it runs in tests without WebAssembly. What a store answers is
//! hostile until checked: every name, offset, length and digest that comes back from it is.
//!
//! Inside: `format` (names and control documents), `codec` (compression), `volume` (files and block devices),
//! `layers` (what the host puts round a store: retries and limits), `backup` (read → hash → compress → put), `manifest`, `chain` and `read` (the way back, which `restore` and `verify`
//! share).

mod backup;
mod chain;
mod codec;
mod control;
mod delete;
mod describe;
mod digest;
mod error;
mod format;
mod gather;
mod layers;
mod manifest;
mod progress;
mod read;
mod restore;
mod store;
mod thread;
mod verify;
mod volume;

pub use backup::{BackupOutcome, BackupPlan, Parent, backup};
pub use codec::{Algorithm, Tag};
pub use control::{Control, Resources};
pub use delete::delete;
pub use describe::{Description, describe, parent_of};
pub use error::TransferError;
pub use format::{Digests, Header, Metadata, ObjectEntry, ObjectKind, Sha256file};
pub use layers::{Layers, Patience, Tries};
pub use manifest::{Expected, Link, Seals};
pub use progress::{Cancel, Phase, Progress, Snapshot};
pub use restore::{RestoreOutcome, restore};
pub use store::{Location, ObjectStore, list_all};
pub use verify::{Verdict, verify};
pub use volume::{Source, is_volume};

/// The format itself, for tools and tests that work on the control documents alone.
pub mod documents {
    pub use crate::format::{
        classify, created_at_text, data_name, decode_metadata, decode_sha256file, encode_metadata,
        encode_sha256file, metadata_name, sha256file_name,
    };
}

/// Doors for a fuzzer: each takes any bytes, and panics when they break a rule.
#[doc(hidden)]
pub mod fuzz {
    pub use crate::backup::fuzz::journal;
    pub use crate::codec::fuzz::decoder;
    pub use crate::format::fuzz::{metadata, sha256file};
}
