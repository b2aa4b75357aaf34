//! Opens the granted directory in `do-setup` again and again, and closes it never. The host must end it by
//! its bound on handles.

use std::mem::forget;

use cofferdam_hostile::cofferdam_driver::wasip2::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};
use cofferdam_hostile::cofferdam_driver::{DriverInfo, Error, Settings};
use cofferdam_hostile::{Hostile, info, options};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::directory()])
    }

    fn do_setup(settings: &Settings) -> Result<(), Error> {
        let directory = options::granted(settings.required_text(options::PATH)?)?;
        for count in 0_u64.. {
            let again = directory.open_at(
                PathFlags::empty(),
                ".",
                OpenFlags::DIRECTORY,
                DescriptorFlags::READ,
            );
            forget(
                again.map_err(|code| Error::failed(format!("after {count} directories: {}", code.name())))?,
            );
        }
        Ok(())
    }
}

cofferdam_hostile::misbehave!(Behaviour);
