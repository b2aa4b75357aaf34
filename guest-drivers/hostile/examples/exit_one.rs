//! Calls `exit` with failure in `do-setup`. The host must answer: trap, and must not exit itself.

use cofferdam_hostile::Hostile;
use cofferdam_hostile::cofferdam_driver::{Error, Settings};

struct Behaviour;

impl Hostile for Behaviour {
    fn do_setup(_: &Settings) -> Result<(), Error> {
        std::process::exit(1)
    }
}

cofferdam_hostile::misbehave!(Behaviour);
