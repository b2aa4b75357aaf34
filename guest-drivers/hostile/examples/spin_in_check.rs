//! Computes for ever in `check-for-setup-error`. The host must end it: the wall clock or the fuel, whichever
//! is gone first.

use cofferdam_hostile::cofferdam_driver::Error;
use cofferdam_hostile::{Hostile, spin};

struct Behaviour;

impl Hostile for Behaviour {
    fn check_for_setup_error() -> Result<(), Error> {
        spin()
    }
}

cofferdam_hostile::misbehave!(Behaviour);
