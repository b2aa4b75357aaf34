//! Sends in `do-setup` an HTTP request to the port `hostile_port` of the host's own loopback. The host must
//! deny it, unless the deployer granted that very place; a request that is answered is `it answered`.

use cofferdam_hostile::cofferdam_driver::{DriverInfo, Error, Settings};
use cofferdam_hostile::{Hostile, dial, info, options};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        DriverInfo {
            wants_http: true,
            ..info([options::port()])
        }
    }

    fn do_setup(settings: &Settings) -> Result<(), Error> {
        let port = options::port_of(settings)?;
        Err(dial(&format!("127.0.0.1:{port}"), "/"))
    }
}

cofferdam_hostile::misbehave!(Behaviour);
