//! Returns `unavailable` from `do-setup`. The host must pass the driver's error on, and try again later.

use cofferdam_hostile::Hostile;
use cofferdam_hostile::cofferdam_driver::{Error, Settings};

struct Behaviour;

impl Hostile for Behaviour {
    fn do_setup(_: &Settings) -> Result<(), Error> {
        Err(Error::unavailable(
            "the hostile driver's storage is away on purpose",
        ))
    }
}

cofferdam_hostile::misbehave!(Behaviour);
