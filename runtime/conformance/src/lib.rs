//! What every driver must do, as cases that run against a component and its settings, without its source.
//!
//! Problem: a driver is written by somebody else, for a storage that fails in ways its author has not seen; whether it keeps the
//! contract shows only when it is asked everything, and when the network between it and its storage misbehaves. Solution: the
//! [`cases`] are data in tables, each chosen by what the driver declares and its [`Subject`] offers; a [`proxy`] of our own in
//! front of the real server delays, cuts, floods, garbles and refuses by rule. [`run()`] gives a [`Report`]: what passed, what
//! did not (expected, found), and what was left out and why.
//!
//! Drivers hold no retry loops, and the cases run on instances directly: a server that fails once must come out as an error of
//! the right class, in bounded time, with nothing half-made; the call after it must succeed.
//!
//! Bound: one case at a time, each within [`run::LONGEST_CASE`]; bodies are made from seeds and compared as they come, so memory does
//! not depend on their size. Every case has names of its own, nearly all in one container, and clears away what it put there.

mod bench;
mod case;
pub mod cases;
mod content;
pub mod ears;
mod engine;
mod expect;
mod ground;
mod junit;
pub mod proxy;
mod report;
pub mod run;
mod store;
mod subject;
mod traces;
pub mod words;

pub use bench::{Figure, bench, endure};
pub use case::{Case, Finding, Need, Running, Stop, Verdict};
pub use cofferdam_sandbox::Sandbox;
pub use ground::Ground;
pub use report::{Outcome, Report, Tried};
pub use run::run;
pub use subject::{Room, Setup, Subject, describe};
