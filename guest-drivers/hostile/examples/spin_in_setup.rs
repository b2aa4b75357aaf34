//! Computes for ever in `do-setup`. The host must end it: the wall clock or the fuel, whichever is gone
//! first.

use cofferdam_hostile::cofferdam_driver::{Error, Settings};
use cofferdam_hostile::{Hostile, spin};

struct Behaviour;

impl Hostile for Behaviour {
    fn do_setup(_: &Settings) -> Result<(), Error> {
        spin()
    }
}

cofferdam_hostile::misbehave!(Behaviour);
