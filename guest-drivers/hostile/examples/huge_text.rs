//! Returns from `describe` a vendor with a name of 32 MiB. The host must refuse it or cut it, and keep none
//! of it.

use cofferdam_hostile::cofferdam_driver::DriverInfo;
use cofferdam_hostile::{Hostile, info};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        DriverInfo {
            vendor: "x".repeat(32 * 1024 * 1024),
            ..info([])
        }
    }
}

cofferdam_hostile::misbehave!(Behaviour);
