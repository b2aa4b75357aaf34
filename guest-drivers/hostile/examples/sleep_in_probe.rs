//! Sleeps for ever in `probe`, which uses no fuel. The host must end it by the wall clock.

use cofferdam_hostile::cofferdam_driver::Error;
use cofferdam_hostile::{Hostile, Store, sleep};

struct Behaviour;

impl Hostile for Behaviour {
    fn probe(_: &mut Store) -> Result<(), Error> {
        sleep()
    }
}

cofferdam_hostile::misbehave!(Behaviour);
