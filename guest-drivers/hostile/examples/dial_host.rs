//! Sends in `do-setup` an HTTP request to the name `storage.example`. The host must deny it, unless the
//! deployer granted that very place; a request that is answered is `it answered`.

use cofferdam_hostile::cofferdam_driver::{DriverInfo, Error, Settings};
use cofferdam_hostile::{Hostile, dial, info};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        DriverInfo {
            wants_http: true,
            ..info([])
        }
    }

    fn do_setup(_: &Settings) -> Result<(), Error> {
        Err(dial("storage.example", "/"))
    }
}

cofferdam_hostile::misbehave!(Behaviour);
