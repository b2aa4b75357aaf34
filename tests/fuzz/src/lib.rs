//! Every parser of bytes from outside, as a fuzzer and a plain test call it.
//!
//! A target takes any bytes and panics when the parser does, or when what was parsed breaks a rule that the target knows.
//! Each has a folder of bytes in `corpus/`: valid ones, those that reach another piece of code, and those that once
//! broke something. `./dev fuzz` looks for more of them; `tests/corpus.rs` runs all of them in every test run.

use cofferdam_distribution::fuzz::{driver_manifest, oci_manifest};
use cofferdam_manager::fuzz::backup_url;
use cofferdam_nbd::fuzz_replies;
use cofferdam_transfer::fuzz::{decoder, journal, metadata, sha256file};

/// A target: its name, which is also its corpus's, and what takes the bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("backup_url", backup_url),
    ("decoder", decoder),
    ("driver_manifest", driver_manifest),
    ("journal", journal),
    ("metadata", metadata),
    ("nbd_replies", fuzz_replies),
    ("oci_manifest", oci_manifest),
    ("sha256file", sha256file),
];
