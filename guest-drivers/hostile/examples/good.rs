//! Does everything right, with objects in `hostile_path`, when it is set, or else in the memory of the instance. The host must
//! find no fault with it.

use cofferdam_hostile::cofferdam_driver::DriverInfo;
use cofferdam_hostile::{Hostile, info, options};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::optional_directory()])
    }
}

cofferdam_hostile::misbehave!(Behaviour);
