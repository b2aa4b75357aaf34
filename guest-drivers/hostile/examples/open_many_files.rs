//! Makes 100,000 files in the granted directory in `do-setup` and holds them all open; when it cannot, it
//! says how many it holds. The host must end it by its bound on handles, or let it run into the process's own
//! bound alone.

use std::fs::File;

use cofferdam_hostile::cofferdam_driver::{DriverInfo, Error, Settings};
use cofferdam_hostile::{Hostile, info, options};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::directory()])
    }

    fn do_setup(settings: &Settings) -> Result<(), Error> {
        let path = settings.required_text(options::PATH)?;
        let mut files = Vec::new();
        for number in 0..100_000 {
            let file = File::create(format!("{path}/file-{number:06}"));
            files.push(
                file.map_err(|error| Error::failed(format!("after {} open files: {error}", files.len())))?,
            );
        }
        Ok(())
    }
}

cofferdam_hostile::misbehave!(Behaviour);
