//! Sleeps for ever in `describe`, which uses no fuel. The host must end it by the wall clock.

use cofferdam_hostile::cofferdam_driver::DriverInfo;
use cofferdam_hostile::{Hostile, sleep};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        sleep()
    }
}

cofferdam_hostile::misbehave!(Behaviour);
