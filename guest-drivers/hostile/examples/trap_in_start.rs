//! Traps in its start code, which runs while the component is instantiated. The host must answer: trap.

#![allow(
    unsafe_code,
    reason = "the start code is an export of this very name, called when the instance is made"
)]

use cofferdam_hostile::Hostile;

struct Behaviour;

impl Hostile for Behaviour {}

#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    core::arch::wasm32::unreachable()
}

cofferdam_hostile::misbehave!(Behaviour);
