//! Sleeps for ever in `do-setup`, which uses no fuel. The host must end it by the wall clock.

use std::thread::sleep;
use std::time::Duration;

use cofferdam_hostile::Hostile;
use cofferdam_hostile::cofferdam_driver::{Error, Settings};

struct Behaviour;

impl Hostile for Behaviour {
    fn do_setup(_: &Settings) -> Result<(), Error> {
        loop {
            sleep(Duration::from_secs(3600));
        }
    }
}

cofferdam_hostile::misbehave!(Behaviour);
