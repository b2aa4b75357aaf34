//! Calls itself without end in `do-setup`. The host must answer: trap, by its bound on the stack.

use cofferdam_hostile::Hostile;
use cofferdam_hostile::cofferdam_driver::{Error, Settings};

struct Behaviour;

impl Hostile for Behaviour {
    fn do_setup(_: &Settings) -> Result<(), Error> {
        std::hint::black_box(dive(0));
        Ok(())
    }
}

#[allow(unconditional_recursion, reason = "this is the behaviour")]
#[inline(never)]
fn dive(depth: u64) -> u64 {
    std::hint::black_box(dive(std::hint::black_box(depth + 1)) + depth)
}

cofferdam_hostile::misbehave!(Behaviour);
