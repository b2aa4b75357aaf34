//! Returns an error with a text of 64 MiB from `do-setup`. The host must refuse it or cut it, and keep none
//! of it; with a memory budget below about 70 MiB it answers: memory denied.

use cofferdam_hostile::Hostile;
use cofferdam_hostile::cofferdam_driver::{Error, Settings};

struct Behaviour;

impl Hostile for Behaviour {
    fn do_setup(_: &Settings) -> Result<(), Error> {
        Err(Error::failed("x".repeat(64 * 1024 * 1024)))
    }
}

cofferdam_hostile::misbehave!(Behaviour);
