//! From the component's exports to a [`Driver`].
//!
//! The contract's functions are free functions; a driver is a value. `export!` makes the place where the value
//! of this instance is kept, and [`Adapter`] does the rest for every driver alike: a call before `do-setup` is
//! an error with the function's name, a repeated `do-setup` forgets the old settings, and a page limit outside
//! the contract is refused. Cost: one look into a thread-local per call.

use std::marker::PhantomData;

use crate::bindings::exports::cofferdam::backup::{backup_driver, object_store};
use crate::{
    BackupIdentity, BodyInfo, ByteRange, ContainerPage, Driver, DriverInfo, Error, InputStream,
    ObjectAddress, ObjectInfo, OutputStream, Page, Placement, Setting, Settings,
};

/// Makes the component export the given [`Driver`]. Once per crate, at its top:
///
/// ```ignore
/// cofferdam_driver::export!(MyDriver);
/// ```
#[macro_export]
macro_rules! export {
    ($driver:ty) => {
        const _: () = {
            ::std::thread_local! {
                static DRIVER: ::std::cell::RefCell<::std::option::Option<$driver>> =
                    const { ::std::cell::RefCell::new(::std::option::Option::None) };
            }

            struct Instance;

            impl $crate::export::Instance for Instance {
                type Driver = $driver;

                fn with<R>(call: impl FnOnce(&mut ::std::option::Option<$driver>) -> R) -> R {
                    DRIVER.with_borrow_mut(call)
                }
            }

            type Component = $crate::export::Adapter<Instance>;
    $crate::bindings::export!(Component with_types_in $crate::bindings);
        };
    };
}

/// Where the driver of this instance is kept. Implemented by `export!`.
#[doc(hidden)]
pub trait Instance {
    /// The exported driver.
    type Driver: Driver;

    /// Lends the driver's place: empty before the first successful `do-setup`.
    fn with<R>(call: impl FnOnce(&mut Option<Self::Driver>) -> R) -> R;
}

/// Implements the generated traits for any driver. Used by `export!`.
#[doc(hidden)]
#[derive(Debug)]
pub struct Adapter<I>(PhantomData<I>);

fn after_setup<I: Instance, R>(
    function: &str,
    call: impl FnOnce(&mut I::Driver) -> Result<R, Error>,
) -> Result<R, Error> {
    I::with(|driver| match driver {
        Some(driver) => call(driver),
        None => Err(Error::failed(format!(
            "{function} was called before a do-setup that succeeded"
        ))),
    })
}

fn check_limit(function: &str, limit: u32) -> Result<(), Error> {
    if (1..=1000).contains(&limit) {
        return Ok(());
    }
    Err(Error::unsupported(format!(
        "{function}: the limit is {limit}, not 1 to 1000"
    )))
}

impl<I: Instance> backup_driver::Guest for Adapter<I> {
    fn describe() -> DriverInfo {
        I::Driver::describe()
    }

    fn do_setup(settings: Vec<Setting>) -> Result<(), Error> {
        I::with(|driver| {
            *driver = None;
            *driver = Some(I::Driver::do_setup(&Settings::new(settings))?);
            Ok(())
        })
    }

    fn check_for_setup_error() -> Result<(), Error> {
        after_setup::<I, _>("check-for-setup-error", |driver| driver.check_for_setup_error())
    }

    fn probe() -> Result<(), Error> {
        after_setup::<I, _>("probe", |driver| driver.probe())
    }

    fn place_backup(backup: BackupIdentity, container: Option<String>) -> Result<Placement, Error> {
        after_setup::<I, _>("place-backup", |driver| {
            driver.place_backup(&backup, container.as_deref())
        })
    }
}

impl<I: Instance> object_store::Guest for Adapter<I> {
    fn create_container(container: String) -> Result<(), Error> {
        after_setup::<I, _>("create-container", |driver| driver.create_container(&container))
    }

    fn put_object(at: ObjectAddress, body: &InputStream, info: BodyInfo) -> Result<(), Error> {
        after_setup::<I, _>("put-object", |driver| driver.put_object(&at, body, &info))
    }

    fn get_object(at: ObjectAddress, range: Option<ByteRange>, sink: &OutputStream) -> Result<u64, Error> {
        after_setup::<I, _>("get-object", |driver| driver.get_object(&at, range, sink))
    }

    fn stat_object(at: ObjectAddress) -> Result<ObjectInfo, Error> {
        after_setup::<I, _>("stat-object", |driver| driver.stat_object(&at))
    }

    fn delete_object(at: ObjectAddress) -> Result<(), Error> {
        after_setup::<I, _>("delete-object", |driver| driver.delete_object(&at))
    }

    fn list_objects(
        container: String,
        prefix: String,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page, Error> {
        after_setup::<I, _>("list-objects", |driver| {
            check_limit("list-objects", limit)?;
            driver.list_objects(&container, &prefix, after.as_deref(), limit)
        })
    }

    fn list_containers(after: Option<String>, limit: u32) -> Result<ContainerPage, Error> {
        after_setup::<I, _>("list-containers", |driver| {
            check_limit("list-containers", limit)?;
            driver.list_containers(after.as_deref(), limit)
        })
    }
}
