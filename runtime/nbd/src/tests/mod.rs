//! The client against servers: scripted ones that misbehave, and qemu-nbd.

mod fake;
mod hostile;
mod memory;
mod mutated;
mod polite;
mod qemu;
mod sharing;
mod tools;
