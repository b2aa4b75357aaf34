//! Sets up once per instance; the second `do-setup` of the same instance fails. The host must set an
//! instance up once only, and make a new one for every new initialisation.

use std::sync::atomic::{AtomicBool, Ordering};

use cofferdam_hostile::Hostile;
use cofferdam_hostile::cofferdam_driver::{Error, Settings};

struct Behaviour;

impl Hostile for Behaviour {
    fn do_setup(_: &Settings) -> Result<(), Error> {
        if SET_UP.swap(true, Ordering::Relaxed) {
            return Err(Error::failed("the hostile driver was set up twice"));
        }
        Ok(())
    }
}

static SET_UP: AtomicBool = AtomicBool::new(false);

cofferdam_hostile::misbehave!(Behaviour);
