//! The contract as one Rust trait.
//!
//! The WIT files (`wit/0.1.0`) say what each function promises; here it is only said how it looks in Rust.
//! Errors are values: a driver returns them and never panics, because a panic costs the whole instance.

use crate::{
    BackupIdentity, BodyInfo, ByteRange, ContainerPage, DriverInfo, Error, InputStream, ObjectAddress,
    ObjectInfo, OutputStream, Page, Placement, Settings,
};

/// A volume-backup driver. Implement it for a type that holds what the settings say, then
/// [`export!`](crate::export!) the type.
///
/// The SDK keeps the one value of the type that [`do_setup`](Driver::do_setup) made, and answers calls that
/// come before it. Calls come one at a time; what the value remembers between them may be lost at any moment.
pub trait Driver: Sized + 'static {
    /// Name, version, options, needs. No side effects; always the same answer.
    fn describe() -> DriverInfo;

    /// Makes the driver from its settings. Cheap; touches no storage. Called again, it replaces the old value,
    /// which is gone even when the new settings are wrong.
    fn do_setup(settings: &Settings) -> Result<Self, Error>;

    /// Proves that the storage is usable: writes a canary, reads it back, deletes it. Leaves nothing behind.
    fn check_for_setup_error(&mut self) -> Result<(), Error>;

    /// Whether the storage still works. Cheap, no side effects.
    fn probe(&mut self) -> Result<(), Error>;

    /// Names the place of a new backup without creating anything. `container` is what the user asked for.
    fn place_backup(&self, backup: &BackupIdentity, container: Option<&str>) -> Result<Placement, Error>;

    /// Makes the container if it is missing.
    fn create_container(&mut self, container: &str) -> Result<(), Error>;

    /// Stores the whole body under the name, atomically and durably. [`store`](crate::pipe::store) moves it.
    fn put_object(&mut self, at: &ObjectAddress, body: &InputStream, info: &BodyInfo) -> Result<(), Error>;

    /// Writes the object, or a range of it, to the sink; says how many bytes. [`fetch`](crate::pipe::fetch)
    /// moves them.
    fn get_object(
        &mut self,
        at: &ObjectAddress,
        range: Option<ByteRange>,
        sink: &OutputStream,
    ) -> Result<u64, Error>;

    /// [`Error::NotFound`] when the object is not there.
    fn stat_object(&mut self, at: &ObjectAddress) -> Result<ObjectInfo, Error>;

    /// Deletes the object for good; succeeds when it is not there.
    fn delete_object(&mut self, at: &ObjectAddress) -> Result<(), Error>;

    /// The objects whose names begin with `prefix` and come after `after` in byte order, at most `limit`, which
    /// the SDK has checked to be 1 to 1000. Complete or an error.
    fn list_objects(
        &mut self,
        container: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page, Error>;

    /// The containers in which backups of this driver may be; [`Error::Unsupported`] when it cannot tell. Pages as in
    /// [`list_objects`](Driver::list_objects).
    fn list_containers(&mut self, after: Option<&str>, limit: u32) -> Result<ContainerPage, Error> {
        let _ = (after, limit);
        Err(Error::unsupported("this driver cannot list its containers"))
    }
}
