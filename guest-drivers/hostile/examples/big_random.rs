//! Asks for 1 GiB of random bytes in one call in `do-setup`. The host must refuse it, without making the
//! bytes.

use cofferdam_hostile::Hostile;
use cofferdam_hostile::cofferdam_driver::wasip2::random::random::get_random_bytes;
use cofferdam_hostile::cofferdam_driver::{Error, Settings};

struct Behaviour;

impl Hostile for Behaviour {
    fn do_setup(_: &Settings) -> Result<(), Error> {
        std::hint::black_box(get_random_bytes(1024 * 1024 * 1024));
        Ok(())
    }
}

cofferdam_hostile::misbehave!(Behaviour);
