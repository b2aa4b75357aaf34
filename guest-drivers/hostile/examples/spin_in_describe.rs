//! Computes for ever in `describe`. The host must end it: the wall clock or the fuel, whichever is gone
//! first.

use cofferdam_hostile::cofferdam_driver::DriverInfo;
use cofferdam_hostile::{Hostile, spin};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        spin()
    }
}

cofferdam_hostile::misbehave!(Behaviour);
