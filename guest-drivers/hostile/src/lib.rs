//! Programs that misbehave on purpose, one behaviour each: what the host's sandbox is tested with.
//!
//! Each example under `examples/` is a component of its own. It overrides one function of [`Hostile`], whose
//! defaults are benign, and says in its first lines what it does and what the host must answer. So a test that
//! sees a failure has seen this behaviour and no other. The benign rest keeps objects in the memory of the
//! instance ([`Store`]): they are gone with it.

mod store;

use std::marker::PhantomData;

use cofferdam_driver::{
    BackupIdentity, BodyInfo, BodyNeeds, ByteRange, Driver, DriverInfo, Error, InputStream, ObjectAddress,
    ObjectInfo, OutputStream, Page, Placement, Settings,
};

pub use cofferdam_driver;
pub use store::{Store, write_all};

/// A driver that does everything right, but for what an example overrides.
pub trait Hostile: 'static {
    /// Says that the driver is called `hostile`, takes no options and needs nothing.
    fn describe() -> DriverInfo {
        DriverInfo {
            name: "hostile".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            vendor: "Cofferdam".to_owned(),
            description: "Misbehaves on purpose, to test the sandbox. Never use it for a backup.".to_owned(),
            options: Vec::new(),
            needs: BodyNeeds::empty(),
            greatest_object: None,
            wants_http: false,
        }
    }

    /// Succeeds.
    fn do_setup(_settings: &Settings) -> Result<(), Error> {
        Ok(())
    }

    /// Succeeds.
    fn check_for_setup_error() -> Result<(), Error> {
        Ok(())
    }

    /// Succeeds.
    fn probe() -> Result<(), Error> {
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
        write_all(sink, store.get(at, range)?)
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
            store: Store::default(),
            behaviour: PhantomData,
        })
    }

    fn check_for_setup_error(&mut self) -> Result<(), Error> {
        H::check_for_setup_error()
    }

    fn probe(&mut self) -> Result<(), Error> {
        H::probe()
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
        self.store.create_container(container);
        Ok(())
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
        let size = self.store.get(at, None)?.len() as u64;
        Ok(ObjectInfo {
            name: at.name.clone(),
            size,
        })
    }

    fn delete_object(&mut self, at: &ObjectAddress) -> Result<(), Error> {
        self.store.delete(at);
        Ok(())
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

/// Makes the component export a [`Hostile`] type. Once per example.
#[macro_export]
macro_rules! misbehave {
    ($behaviour:ty) => {
        $crate::cofferdam_driver::export!($crate::Misbehaving<$behaviour>);
    };
}
