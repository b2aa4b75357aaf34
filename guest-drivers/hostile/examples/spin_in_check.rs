//! Computes for ever in `check-for-setup-error`. The host must end it: the wall clock or the fuel, whichever
//! is gone first.

use cofferdam_hostile::cofferdam_driver::Error;
use cofferdam_hostile::{Hostile, Store, spin};

struct Behaviour;

impl Hostile for Behaviour {
    fn check_for_setup_error(_: &mut Store) -> Result<(), Error> {
        spin()
    }
}

cofferdam_hostile::misbehave!(Behaviour);
