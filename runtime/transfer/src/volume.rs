//! Volumes: raw files and block devices, as the source of a backup and the target of a restore.

mod source;
mod target;

pub use source::Source;
pub(crate) use source::{Extent, Identity};
pub(crate) use target::Target;
