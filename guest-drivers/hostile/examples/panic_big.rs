//! Panics in `do-setup` with a message of 10 MB on its standard error. The host must answer: trap, show the
//! message's beginning and keep none of the rest.

use cofferdam_hostile::Hostile;
use cofferdam_hostile::cofferdam_driver::{Error, Settings};

struct Behaviour;

impl Hostile for Behaviour {
    #[allow(clippy::panic, reason = "this is the behaviour")]
    fn do_setup(_: &Settings) -> Result<(), Error> {
        panic!("{}", "x".repeat(10_000_000))
    }
}

cofferdam_hostile::misbehave!(Behaviour);
