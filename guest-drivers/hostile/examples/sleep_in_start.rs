//! Sleeps for ever in its start code, which runs while the component is instantiated and uses no fuel. The
//! host must end it by the wall clock.

#![allow(
    unsafe_code,
    reason = "the start code is an export of this very name, called when the instance is made"
)]

use cofferdam_hostile::{Hostile, sleep};

struct Behaviour;

impl Hostile for Behaviour {}

#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    sleep()
}

cofferdam_hostile::misbehave!(Behaviour);
