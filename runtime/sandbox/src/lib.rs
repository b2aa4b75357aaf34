//! The only room that knows WebAssembly: load, compile, grant, limit, call and kill driver components.
//!
//! The way in is [`Sandbox::start`], then [`Sandbox::load`] for a file, [`requirements::provide`] for what it is given,
//! [`Sandbox::open`] for a live [`Instance`]. Whatever a guest does comes back as a [`Failure`].

mod body;
mod budget;
mod calls;
mod clock;
pub mod compile;
pub mod component;
pub mod contract;
mod egress;
mod engine;
pub mod failure;
mod files;
mod host;
mod instance;
mod kill;
pub mod limits;
mod memory;
mod network;
mod output;
mod pipe;
pub mod requirements;
mod sandbox;
mod secrets;
mod selftest;
pub mod slabs;
mod stall;
pub mod stream;
mod trap;
mod turns;
pub mod units;

pub use budget::{Budget, Usage};
pub use calls::MAX_PAGE;
pub use egress::dial::{Resolver, SystemResolver};
pub use failure::{Failure, Phase, RetryClass};
pub use instance::Instance;
pub use limits::Limits;
pub use network::{Network, Origin, TcpAddress};
pub use sandbox::{Driver, Sandbox};
pub use secrets::{SCRUBBED, Secret, Source};
