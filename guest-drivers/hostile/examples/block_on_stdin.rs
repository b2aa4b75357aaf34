//! Waits in `do-setup` for a byte on its standard input, and succeeds when one comes. The host must give it
//! an empty one that is at its end, and pass the driver's error on: `standard input is empty`.

use std::io::{Read as _, stdin};

use cofferdam_hostile::Hostile;
use cofferdam_hostile::cofferdam_driver::{Error, Settings};

struct Behaviour;

impl Hostile for Behaviour {
    fn do_setup(_: &Settings) -> Result<(), Error> {
        match stdin().read(&mut [0]) {
            Ok(0) => Err(Error::failed("standard input is empty")),
            Ok(_) => Ok(()),
            Err(error) => Err(Error::failed(format!("standard input: {error}"))),
        }
    }
}

cofferdam_hostile::misbehave!(Behaviour);
