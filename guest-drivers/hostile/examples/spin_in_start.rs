//! Computes for ever in its start code, which runs while the component is instantiated. The host must end
//! it: the wall clock or the fuel, whichever is gone first.

#![allow(
    unsafe_code,
    reason = "the start code is an export of this very name, called when the instance is made"
)]

use cofferdam_hostile::{Hostile, spin};

struct Behaviour;

impl Hostile for Behaviour {}

#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    spin()
}

cofferdam_hostile::misbehave!(Behaviour);
