//! What a Rust author links to write a Cofferdam backup driver.
//!
//! A driver is a type that implements [`Driver`], exported once:
//!
//! ```ignore
//! use cofferdam_driver::{Driver, DriverInfo, Error, Settings};
//!
//! struct Shelf { directory: cofferdam_driver::Directory }
//!
//! impl Driver for Shelf {
//!     fn do_setup(settings: &Settings) -> Result<Self, Error> {
//!         Ok(Self { directory: settings.required_directory("shelf_path")? })
//!     }
//!     // ... the other functions of the contract
//! }
//!
//! cofferdam_driver::export!(Shelf);
//! ```
//!
//! in a crate of type `cdylib`, built for `wasm32-wasip2`. What each function promises is said in the contract,
//! `wit/0.1.0`, and nowhere else. Beside the trait: [`Settings`] reads options, [`Directory`] keeps objects as
//! files in a granted directory, [`http`] speaks to servers, [`secrets`] uses keys that the host keeps, [`pipe`] moves
//! bytes without letting them into the guest, [`log`] writes to the host's log, [`names`] holds the rules for safe names, [`placement`]
//! names backups as Cinder does.

pub mod bindings;
pub mod directory;
mod driver;
mod error;
pub mod export;
pub mod http;
mod info;
pub mod log;
pub mod names;
pub mod pipe;
pub mod placement;
pub mod secrets;
mod settings;

pub use bindings::cofferdam::backup::host::is_cancelled;
pub use bindings::cofferdam::backup::types::{
    BackupIdentity, BodyInfo, BodyNeeds, ByteRange, ContainerPage, DriverInfo, Error, InvalidOption,
    ObjectAddress, ObjectInfo, OptionInfo, OptionKind, Page, Placement, Setting, SettingValue, Throttle,
};
pub use directory::Directory;
pub use driver::Driver;
pub use secrets::Secret;
pub use settings::Settings;
pub use wasip2;
pub use wasip2::io::streams::{InputStream, OutputStream};
