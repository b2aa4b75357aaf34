//! The transfer engine through its public functions, on an in-memory store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests"
)]

mod backups;
mod chains;
mod chances;
mod damage;
mod deletes;
mod devices;
mod documents;
mod failures;
mod kit;
mod listings;
mod raw;
mod resume;
mod retries;
mod roundtrip;
mod store;
mod stragglers;
