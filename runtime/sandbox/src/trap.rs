//! From the engine's error to a failure that says whose fault it was.

use wasmtime::Trap;
use wasmtime_wasi::I32Exit;

use crate::failure::{Failure, Phase, clean};
use crate::kill::Killed;
use crate::limits::TEXT;
use crate::memory::MemoryDenied;

/// Explains why a call into the guest ended without an answer. `words` is what the guest wrote last.
pub(crate) fn explain(error: wasmtime::Error, phase: Phase, budget: u64, words: &str) -> Failure {
    if let Some(MemoryDenied { wanted, limit }) = error.downcast_ref() {
        return Failure::MemoryDenied {
            phase,
            wanted: *wanted,
            limit: *limit,
        };
    }
    if error.is::<Killed>() {
        return crate::instance::killed(phase);
    }
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return Failure::Trap {
            phase,
            reason: format!("it ended its program with exit code {code}"),
        };
    }
    let reason = match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => return Failure::OutOfFuel { phase, budget },
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    };
    let mut reason = clean(&reason, TEXT);
    if !words.is_empty() {
        reason = format!("{reason}; its last words: {words}");
    }
    Failure::Trap { phase, reason }
}
