//! The fuzzer: libFuzzer, which finds bytes that reach new code, on the target that `COFFERDAM_FUZZ_TARGET` names. Its
//! options are libFuzzer's. Run by tools/fuzz, which also has the code instrumented.
#![no_main]
#![allow(
    unsafe_code,
    clippy::expect_used,
    reason = "libfuzzer-sys writes the functions that libFuzzer calls"
)]

use std::sync::LazyLock;

use cofferdam_fuzz::{TARGETS, Target};
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("COFFERDAM_FUZZ_TARGET").unwrap_or_default();
    let named = TARGETS.iter().find(|(target, _)| *target == name);
    *named.expect("COFFERDAM_FUZZ_TARGET must name a target")
});

fuzz_target!(|data: &[u8]| TARGET.1(data));
