//! The one engine of the process: what guests may use, and the switches behind every time limit.

use wasmtime::{Config, Engine, Strategy};

use crate::limits::{FIBER_STACK, WASM_STACK};

/// Makes the engine. Parent and compiling child must agree on it to the letter.
///
/// # Errors
/// When the platform cannot do what the configuration asks.
pub(crate) fn engine() -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .wasm_component_model(true)
        .concurrency_support(false)
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(FIBER_STACK)
        .wasm_gc(false)
        .wasm_threads(false)
        .shared_memory(false)
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        // Address space, not memory: what one instance reserves. Memories may move, so that a compiling or testing
        // process with a limit on its address space can still make one.
        .memory_reservation(256 << 20)
        .memory_guard_size(64 << 10);
    Engine::new(&config)
}
