//! Runs into an `unreachable` instruction in `do-setup`. The host must answer: trap.

use cofferdam_hostile::Hostile;
use cofferdam_hostile::cofferdam_driver::{Error, Settings};

struct Behaviour;

impl Hostile for Behaviour {
    fn do_setup(_: &Settings) -> Result<(), Error> {
        core::arch::wasm32::unreachable()
    }
}

cofferdam_hostile::misbehave!(Behaviour);
