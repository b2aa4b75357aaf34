//! Returns `unavailable` from `check-for-setup-error`. The host must pass the driver's error on, and try
//! again later.

use cofferdam_hostile::cofferdam_driver::Error;
use cofferdam_hostile::{Hostile, Store};

struct Behaviour;

impl Hostile for Behaviour {
    fn check_for_setup_error(_: &mut Store) -> Result<(), Error> {
        Err(Error::unavailable(
            "the hostile driver's storage is away on purpose",
        ))
    }
}

cofferdam_hostile::misbehave!(Behaviour);
