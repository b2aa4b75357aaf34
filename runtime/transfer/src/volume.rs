//! Volumes: raw files, block devices and NBD exports, as the source of a backup and the target of a restore.

mod medium;
mod source;
mod target;

pub use medium::is_volume;
pub use source::Source;
pub(crate) use source::{Extent, Identity};
pub(crate) use target::Target;
