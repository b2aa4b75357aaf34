//! Calls `exit` with success in `do-setup`. The host must not take that for a success, and must not exit
//! itself.

use cofferdam_hostile::Hostile;
use cofferdam_hostile::cofferdam_driver::{Error, Settings};

struct Behaviour;

impl Hostile for Behaviour {
    fn do_setup(_: &Settings) -> Result<(), Error> {
        std::process::exit(0)
    }
}

cofferdam_hostile::misbehave!(Behaviour);
