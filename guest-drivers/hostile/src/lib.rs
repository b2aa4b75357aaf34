//! Programs that misbehave on purpose, one behaviour each: what the host's sandbox is tested with.
//!
//! Each example under `examples/` is a component of its own. It overrides one function of [`Hostile`], whose
//! defaults are benign, and says in its first lines what it does and what the host must answer. So a test that
//! sees a failure has seen this behaviour and no other. The benign rest keeps objects in the directory that the
//! option `hostile_path` names, for those that ask for it, and else in the memory of the instance ([`Store`]).

mod dial;
pub mod options;
mod store;
mod tries;

use std::marker::PhantomData;

use cofferdam_driver::wasip2::clocks::monotonic_clock::subscribe_duration;
use cofferdam_driver::{
    BackupIdentity, BodyInfo, BodyNeeds, ByteRange, Driver, DriverInfo, Error, InputStream, ObjectAddress,
    ObjectInfo, OptionInfo, OutputStream, Page, Placement, Settings,
};

pub use cofferdam_driver;
pub use dial::dial;
pub use store::{Disk, Memory, Store, read_all, read_piece, write_all};
pub use tries::Tries;

/// Says that the driver is called `hostile`, takes these options and needs nothing.
pub fn info<const N: usize>(options: [OptionInfo; N]) -> DriverInfo {
    DriverInfo {
        name: "hostile".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        vendor: "Cofferdam".to_owned(),
        description: "Misbehaves on purpose, to test the sandbox. Never use it for a backup.".to_owned(),
        options: options.into(),
        needs: BodyNeeds::empty(),
        greatest_object: None,
        wants_http: false,
    }
}

/// A driver that does everything right, but for what an example overrides.
pub trait Hostile: 'static {
    /// Says that the driver takes no options.
    fn describe() -> DriverInfo {
        info([])
    }

    /// Succeeds.
    fn do_setup(_settings: &Settings) -> Result<(), Error> {
        Ok(())
    }

    /// Succeeds.
    fn check_for_setup_error(_store: &mut Store) -> Result<(), Error> {
        Ok(())
    }

    /// Succeeds.
    fn probe(_store: &mut Store) -> Result<(), Error> {
        Ok(())
    }

    /// Stores the whole body.
    fn put_object(
        store: &mut Store,
        at: &ObjectAddress,
        body: &InputStream,
        _info: &BodyInfo,
    ) -> Result<(), Error> {
        let bytes = store::read_all(body)?;
        store.put(at, bytes)
    }

    /// Writes the object or the range of it.
    fn get_object(
        store: &mut Store,
        at: &ObjectAddress,
        range: Option<ByteRange>,
        sink: &OutputStream,
    ) -> Result<u64, Error> {
        write_all(sink, &store.get(at, range)?)
    }

    /// Lists what is there.
    fn list_objects(
        store: &mut Store,
        container: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page, Error> {
        store.list(container, prefix, after, limit)
    }
}

/// The [`Driver`] that behaves as `H` says.
#[derive(Debug)]
pub struct Misbehaving<H> {
    store: Store,
    behaviour: PhantomData<H>,
}

impl<H: Hostile> Driver for Misbehaving<H> {
    fn describe() -> DriverInfo {
        H::describe()
    }

    fn do_setup(settings: &Settings) -> Result<Self, Error> {
        H::do_setup(settings)?;
        Ok(Self {
            store: Store::new(settings)?,
            behaviour: PhantomData,
        })
    }

    fn check_for_setup_error(&mut self) -> Result<(), Error> {
        H::check_for_setup_error(&mut self.store)
    }

    fn probe(&mut self) -> Result<(), Error> {
        H::probe(&mut self.store)
    }

    fn place_backup(&self, backup: &BackupIdentity, container: Option<&str>) -> Result<Placement, Error> {
        Ok(Placement {
            container: container.unwrap_or("hostile").to_owned(),
            prefix: format!(
                "volume_{}_{}_backup_{}",
                backup.volume_id, backup.timestamp, backup.backup_id
            ),
            object_size: 1024 * 1024,
            block_size: 32768,
        })
    }

    fn create_container(&mut self, container: &str) -> Result<(), Error> {
        self.store.create_container(container)
    }

    fn put_object(&mut self, at: &ObjectAddress, body: &InputStream, info: &BodyInfo) -> Result<(), Error> {
        H::put_object(&mut self.store, at, body, info)
    }

    fn get_object(
        &mut self,
        at: &ObjectAddress,
        range: Option<ByteRange>,
        sink: &OutputStream,
    ) -> Result<u64, Error> {
        H::get_object(&mut self.store, at, range, sink)
    }

    fn stat_object(&mut self, at: &ObjectAddress) -> Result<ObjectInfo, Error> {
        self.store.stat(at)
    }

    fn delete_object(&mut self, at: &ObjectAddress) -> Result<(), Error> {
        self.store.delete(at)
    }

    fn list_objects(
        &mut self,
        container: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page, Error> {
        H::list_objects(&mut self.store, container, prefix, after, limit)
    }
}

/// Computes for ever, and the compiler cannot see that it is for nothing.
pub fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

/// Sleeps for ever, which uses no fuel. Needs no memory of the guest, so that start code can call it.
pub fn sleep() -> ! {
    loop {
        subscribe_duration(3_600_000_000_000).block();
    }
}

/// Makes the component export a [`Hostile`] type. Once per example.
#[macro_export]
macro_rules! misbehave {
    ($behaviour:ty) => {
        $crate::cofferdam_driver::export!($crate::Misbehaving<$behaviour>);
    };
}
