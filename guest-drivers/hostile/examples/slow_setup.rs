//! Sleeps for `hostile_wait` in `do-setup`, and succeeds. The host must wait for it within its deadline, and
//! keep nobody else waiting.

use std::thread::sleep;

use cofferdam_hostile::cofferdam_driver::{DriverInfo, Error, Settings};
use cofferdam_hostile::{Hostile, info, options};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::wait()])
    }

    fn do_setup(settings: &Settings) -> Result<(), Error> {
        sleep(settings.duration(options::WAIT)?.unwrap_or_default());
        Ok(())
    }
}

cofferdam_hostile::misbehave!(Behaviour);
