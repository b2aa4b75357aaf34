//! The options that hostile programs take, and what was set. Each has one name in all of them.

use std::path::Path;

use cofferdam_driver::wasip2::filesystem::preopens::get_directories;
use cofferdam_driver::wasip2::filesystem::types::Descriptor;
use cofferdam_driver::{Error, OptionInfo, OptionKind, Settings};

/// The directory that the driver uses.
pub const PATH: &str = "hostile_path";
/// How long it waits.
pub const WAIT: &str = "hostile_wait";
/// How often it computes.
pub const ROUNDS: &str = "hostile_rounds";
/// The port that it tries.
pub const PORT: &str = "hostile_port";

/// Asks for a directory to write in; objects are kept there.
pub fn directory() -> OptionInfo {
    OptionInfo::required(PATH, OptionKind::Directory, "Directory to misbehave in.")
}

/// The same, but it may be absent.
pub fn optional_directory() -> OptionInfo {
    let default = "objects are kept in memory";
    OptionInfo::optional(PATH, OptionKind::Directory, default, "Directory for objects.")
}

/// Asks for a directory that may only be read.
pub fn read_only_directory() -> OptionInfo {
    OptionInfo::required(
        PATH,
        OptionKind::ReadOnlyDirectory,
        "Directory to write in all the same.",
    )
}

/// Asks for a span of time.
pub fn wait() -> OptionInfo {
    OptionInfo::required(WAIT, OptionKind::Duration, "How long do-setup takes.")
}

/// Asks for a number of rounds to compute.
pub fn rounds() -> OptionInfo {
    OptionInfo::required(
        ROUNDS,
        OptionKind::Integer,
        "Rounds that do-setup computes, from 0.",
    )
}

/// Asks for a port.
pub fn port() -> OptionInfo {
    OptionInfo::required(
        PORT,
        OptionKind::Integer,
        "Port on the loopback to try, 1 to 65535.",
    )
}

/// The port that was set.
pub fn port_of(settings: &Settings) -> Result<u16, Error> {
    settings
        .integer(PORT)?
        .and_then(|port| u16::try_from(port).ok())
        .ok_or_else(|| Error::invalid_configuration(PORT, "expected a port, 1 to 65535"))
}

/// The bare WASI descriptor of the granted directory, for what `std::fs` would not pass on to the host.
pub fn granted(path: impl AsRef<Path>) -> Result<Descriptor, Error> {
    get_directories()
        .into_iter()
        .find(|(_, granted)| Path::new(granted) == path.as_ref())
        .map(|(descriptor, _)| descriptor)
        .ok_or_else(|| Error::invalid_configuration(PATH, "is not granted"))
}
