//! Secrets stay here: a driver names them and says what is to be done with them.
//!
//! Problem: whoever holds a key can take it away, and a driver speaks to the outside. So no value enters a guest.
//! Solution, one file per step: [`source`] says where the deployer keeps a value and reads it anew when it may have changed;
//! [`vault`] is what one instance may do with its backend's secrets (sign, digest, placeholders, reveal); the
//! placeholders become values in [`crate::egress`] alone; [`scrub`] takes values out of every text that leaves the sandbox.
//! Bound: 64 KiB per value, 10 s per reading, 256 placeholders per instance. Cost: a `stat` per use of a file.
//!
//! What this cannot do: keep a value from a server that the deployer granted. A server that echoes what it is sent gives it to
//! the guest.

mod scrub;
mod source;
mod vault;

pub use scrub::MARK as SCRUBBED;
pub(crate) use scrub::Scrubber;
pub use source::{Secret, Source};
pub(crate) use vault::Vault;
