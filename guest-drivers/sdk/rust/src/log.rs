//! Lines for the host's log, under the backend's name. The host bounds them per call and drops what is over.
//! No secrets in them.

use crate::bindings::cofferdam::backup::host::{self, Level};

/// For the driver's author.
pub fn debug(message: impl AsRef<str>) {
    host::log(Level::Debug, message.as_ref());
}

/// A fact that the deployer may want to know.
pub fn info(message: impl AsRef<str>) {
    host::log(Level::Info, message.as_ref());
}

/// Something is wrong, yet the call goes on.
pub fn warn(message: impl AsRef<str>) {
    host::log(Level::Warn, message.as_ref());
}

/// Something failed that no returned error tells.
pub fn error(message: impl AsRef<str>) {
    host::log(Level::Error, message.as_ref());
}
