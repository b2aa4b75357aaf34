//! Allocates memory without end in `do-setup`. The host must answer: memory denied, although what the guest
//! does then is a trap.

use cofferdam_hostile::Hostile;
use cofferdam_hostile::cofferdam_driver::{Error, Settings};

struct Behaviour;

impl Hostile for Behaviour {
    fn do_setup(_: &Settings) -> Result<(), Error> {
        loop {
            std::mem::forget(std::hint::black_box(vec![1_u8; 1024 * 1024]));
        }
    }
}

cofferdam_hostile::misbehave!(Behaviour);
