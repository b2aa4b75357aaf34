//! Writes a million lines to the host's log in `do-setup`, and succeeds. The host must keep a bounded part,
//! count the rest, and let the call succeed.

use cofferdam_hostile::Hostile;
use cofferdam_hostile::cofferdam_driver::{Error, Settings, log};

struct Behaviour;

impl Hostile for Behaviour {
    fn do_setup(_: &Settings) -> Result<(), Error> {
        for number in 0..1_000_000 {
            log::info(format!("line {number} of a flood on purpose"));
        }
        Ok(())
    }
}

cofferdam_hostile::misbehave!(Behaviour);
