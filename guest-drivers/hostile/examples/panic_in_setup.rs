//! Panics in `do-setup`, with a message on its standard error. The host must answer: trap, and show the
//! message.

use cofferdam_hostile::Hostile;
use cofferdam_hostile::cofferdam_driver::{Error, Settings};

struct Behaviour;

impl Hostile for Behaviour {
    #[allow(clippy::panic, reason = "this is the behaviour")]
    fn do_setup(_: &Settings) -> Result<(), Error> {
        panic!("the hostile driver panics on purpose")
    }
}

cofferdam_hostile::misbehave!(Behaviour);
