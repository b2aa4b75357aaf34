//! The life of a driver: initialise it under a deadline, probe it, bring it back, and say truthfully how it is.
//!
//! Nothing here knows WebAssembly: a driver is whatever implements [`Driver`], so all of it runs in tests under
//! virtual time. [`Supervisor::start`] begins one task per backend; tasks share no lock, so a backend that hangs
//! delays no other. Readers look at the last published state and never wait for a task. The rules are the table at
//! the head of `state.rs`; `backend.rs` is the task that carries them out.

mod backend;
mod backoff;
mod driver;
mod events;
mod guard;
mod pace;
mod settings;
mod state;
mod status;
mod supervisor;

pub use driver::Driver;
pub use events::Event;
pub use settings::Settings;
pub use state::Phase;
pub use status::{Counts, Initialization, ServiceState, Status};
pub use supervisor::{NotUp, Options, StatusWatch, Supervisor, WallClock};
