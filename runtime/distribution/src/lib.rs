//! How drivers come to a machine, and what is known of them there: packages, sources, signatures, and the folder of installed drivers.
//!
//! Problem: a driver is somebody else's program. Copied by hand it has no version, no licence and no proof of where it comes from; a
//! copy that was cut off looks like a driver; and a service that compiles it first at a start does so inside a deadline.
//! Solution: a driver travels as a component with a [`Manifest`]. [`fetch`] brings it from a [`Source`] (file, package folder, OCI
//! image layout, registry) into a hidden folder of the [`Store`], checking size, SHA-256 and signature before anybody else reads it;
//! the caller compiles and describes it there, as long as that takes; [`Fetched::install`] compares what it says of itself with its
//! manifest and makes it visible by one rename.
//!
//! Bound: everything that comes from outside has a greatest length, and no link is followed out of a folder. Not bounded in bytes,
//! but in time: what a registry answers besides blobs (see [`RegistryOptions`]). Cost: one pass over the component for the copy and
//! its SHA-256, one more for a signature: 64 MiB in 0.15 s, with a signature in 0.5 s.
//!
//! This crate runs no driver and prints nothing; what the component says of itself comes in as plain values ([`Described`]). Work on
//! files is done on the caller's thread.

mod credentials;
mod digest;
mod error;
mod fetch;
mod files;
pub mod fuzz;
mod image;
mod install;
mod installed;
mod layout;
mod manifest;
mod manifest_read;
mod pack;
mod package;
mod push;
mod registry;
mod signature;
mod source;
mod store;

pub use credentials::Credentials;
pub use digest::Sha256Digest;
pub use error::{DigestMismatch, DistributionError, Result};
pub use fetch::{Fetched, Progress, Request, fetch};
pub use install::{Installation, Outcome};
pub use installed::{Condition, Installed, Listed};
pub use manifest::{Described, Manifest, OptionEntry, OptionKind};
pub use pack::{Interfaces, Packed, pack};
pub use package::{COMPONENT_FILE, MANIFEST_FILE, SIGNATURE_FILE, write_package};
pub use push::push;
pub use registry::{RegistryOptions, Transport};
pub use signature::{Signer, TrustedKeys};
pub use source::{Selector, Source};
pub use store::Store;

/// Bytes that a component may have when nothing else is said: the default of `driver_component_size`.
pub const COMPONENT_SIZE: u64 = 64 << 20;
