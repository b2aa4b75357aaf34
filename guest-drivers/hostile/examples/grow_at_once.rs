//! Grows its memory by 1 GiB at once in `do-setup`, and traps when it gets none. The host must answer: memory
//! denied.

use core::arch::wasm32::{memory_grow, unreachable};

use cofferdam_hostile::Hostile;
use cofferdam_hostile::cofferdam_driver::{Error, Settings};

/// Pages of 64 KiB.
const PAGES: usize = 16_384;

struct Behaviour;

impl Hostile for Behaviour {
    fn do_setup(_: &Settings) -> Result<(), Error> {
        if memory_grow::<0>(PAGES) == usize::MAX {
            unreachable()
        }
        Ok(())
    }
}

cofferdam_hostile::misbehave!(Behaviour);
