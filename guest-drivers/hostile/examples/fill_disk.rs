//! Writes a file in the granted directory in `check-for-setup-error` until the disk is full, at most 1 GiB,
//! and removes it again. The host must pass the driver's `out-of-space` on, and stay able to work.

use cofferdam_hostile::cofferdam_driver::wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags,
};
use cofferdam_hostile::cofferdam_driver::{DriverInfo, Error};
use cofferdam_hostile::{Hostile, Store, info, options};

const FILE: &str = "filling";
const MIB: usize = 1024 * 1024;
const MOST: u64 = 1 << 30;

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::directory()])
    }

    fn check_for_setup_error(store: &mut Store) -> Result<(), Error> {
        let directory = options::granted(store.folder()?)?;
        let mut written = 0;
        let filled = fill(&directory, &mut written);
        match directory.unlink_file_at(FILE) {
            Ok(()) | Err(ErrorCode::NoEntry) => {}
            Err(code) => return Err(Error::failed(format!("the file stays: {}", code.name()))),
        }
        let mib = written / MIB as u64;
        Err(match filled {
            Ok(()) => Error::failed("no end of the disk"),
            Err(ErrorCode::InsufficientSpace | ErrorCode::Quota) => {
                Error::out_of_space(format!("the disk was full after {mib} MiB"))
            }
            Err(code) => Error::failed(format!("after {mib} MiB: {}", code.name())),
        })
    }
}

fn fill(directory: &Descriptor, written: &mut u64) -> Result<(), ErrorCode> {
    let create = OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let file = directory.open_at(PathFlags::empty(), FILE, create, DescriptorFlags::WRITE)?;
    let piece = vec![b'x'; MIB];
    while *written < MOST {
        *written += file.write(&piece, *written)?;
    }
    Ok(())
}

cofferdam_hostile::misbehave!(Behaviour);
