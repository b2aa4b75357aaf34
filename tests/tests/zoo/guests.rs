//! The table: one row per guest.

use crate::{Guest, made, sandboxed, served};

/// `name: code, words, visit` for guests from `guest-drivers/hostile`, and `… = maker` for those that are made here.
macro_rules! rows {
    ($($name:literal $(= $make:path)?: $code:literal, $words:literal, $room:ident::$visit:ident;)*) => {
        &[$(Guest {
            name: $name,
            code: $code,
            words: $words,
            visit: rows!(@$room $visit),
            made: rows!(@made $($make)?),
        }),*]
    };
    (@made) => { None };
    (@made $make:path) => { Some($make) };
    (@sandboxed $visit:ident) => { |zoo, guest| Box::pin(sandboxed::$visit(zoo, guest)) };
    (@served $visit:ident) => { |zoo, guest| Box::pin(async { served::$visit(zoo, guest) }) };
}

#[rustfmt::skip]
pub(crate) const GUESTS: &[Guest] = rows! {
    "good": "ok", "", sandboxed::setup;

    // What is no driver of this contract.
    "text" = made::text: "invalid-component", "not WebAssembly", sandboxed::setup;
    "core-module" = made::core_module: "invalid-component", "core module", sandboxed::setup;
    "truncated" = made::truncated: "invalid-component", "damaged", sandboxed::setup;
    "another-world" = made::another_world: "invalid-component", "wasi:http/incoming-handler@0.2.0", sandboxed::setup;
    "future-contract" = made::future_contract: "invalid-component", "built for version 0.9.0", sandboxed::setup;
    "unknown-import" = made::unknown_import: "invalid-component", "evil:host/door", sandboxed::setup;
    "compile-bomb-time" = made::compile_bomb: "compile-timeout", "", sandboxed::compile;
    "compile-bomb-memory" = made::compile_bomb: "invalid-component", "cannot be compiled", sandboxed::compile;

    // Time.
    "spin-in-start": "wall-timeout", "instantiate did not return within", sandboxed::hang;
    "spin-in-describe": "wall-timeout", "describe did not return within", sandboxed::hang;
    "spin-in-setup": "wall-timeout", "do-setup did not return within", sandboxed::hang;
    "spin-in-check": "wall-timeout", "check-for-setup-error did not return within", sandboxed::hang;
    "spin-in-probe": "wall-timeout", "probe did not return within", sandboxed::probe;
    "spin-in-put": "stalled", "put-object", served::create_fails;
    "spin-in-get": "stalled", "get-object", sandboxed::get_object;
    "sleep-in-start": "wall-timeout", "instantiate did not return within", sandboxed::hang;
    "sleep-in-describe": "wall-timeout", "describe did not return within", sandboxed::hang;
    "sleep-in-setup": "wall-timeout", "do-setup did not return within", sandboxed::hang;
    "sleep-in-check": "wall-timeout", "check-for-setup-error did not return within", sandboxed::hang;
    "sleep-in-probe": "wall-timeout", "probe did not return within", sandboxed::probe;
    "endless-host-calls": "wall-timeout", "do-setup did not return within", sandboxed::hang;
    "block-on-stdin": "driver.failed", "standard input is empty", sandboxed::setup;
    "slow-setup": "ok", "", sandboxed::slow;
    "compute-setup": "ok", "", sandboxed::compute;

    // Ends of its own.
    "trap-in-start": "trap", "unreachable", sandboxed::setup;
    "trap-in-setup": "trap", "unreachable", sandboxed::setup;
    "trap-in-put": "trap", "put-object", served::create_fails;
    "panic-in-setup": "trap", "panicked at", sandboxed::setup;
    "panic-big": "trap", "the driver crashed in do-setup", sandboxed::setup;
    "exit-in-setup": "trap", "exit code 0", sandboxed::setup;
    "exit-one": "trap", "exit code 1", sandboxed::setup;
    "recurse-in-setup": "trap", "stack", sandboxed::setup;
    "error-in-setup": "driver.unavailable", "do-setup failed", sandboxed::setup;
    "error-in-check": "driver.unavailable", "check-for-setup-error failed", sandboxed::setup;
    "fail-second-setup": "driver.failed", "set up twice", sandboxed::second_setup;
    "probe-dies": "driver.unavailable", "probe failed", sandboxed::probe_dies;
    "alternate": "ok", "up by itself after 1 failures", served::comes_up;
    "third-try": "ok", "up by itself after 2 failures", served::comes_up;

    // Memory, handles, output.
    "grow-in-setup": "memory-denied", "the limit is 67108864", sandboxed::setup;
    "grow-at-once": "memory-denied", "the limit is 67108864", sandboxed::setup;
    "one-more-memory" = made::one_more_memory: "ok", "", sandboxed::setup;
    "two-more-memories" = made::two_more_memories: "memory-denied", "the limit is 67108864", sandboxed::setup;
    "growing-table" = made::growing_table: "memory-denied", "the limit is 67108864", sandboxed::setup;
    "big-error": "memory-denied", "", sandboxed::setup;
    "huge-text": "trap", "the driver crashed in describe", sandboxed::setup;
    "huge-list": "trap", "the driver crashed in list-objects", sandboxed::list;
    "big-random": "trap", "exceeds limit", sandboxed::setup;
    "leak-handles": "trap", "resource table", sandboxed::setup;
    "leak-directories": "trap", "resource table", sandboxed::in_a_directory;
    "open-many-files": "trap", "resource table", sandboxed::in_a_directory;
    "flood-stdout": "ok", "", sandboxed::setup;
    "flood-log": "ok", "", sandboxed::setup;
    "fill-disk": "driver.out-of-space", "the disk was full after", served::fill_disk;

    // Doors.
    "read-env": "driver.failed", "arguments=[] environment=[] directory=None preopens=[]", sandboxed::setup;
    "escape-paths": "driver.failed", "0 of 17 ways out: none", sandboxed::in_a_directory;
    "write-read-only": "driver.failed", "0 of 13 changes made: none", sandboxed::in_a_directory;
    "dial-host": "denied", "storage.example", sandboxed::setup;
    "dial-metadata": "denied", "169.254.169.254", sandboxed::setup;
    "dial-loopback": "denied", "127.0.0.1", sandboxed::network;
    "raw-sockets": "denied", "a TCP connection to 169.254.169.254:80", sandboxed::network;

    // Lies.
    "put-nothing": "driver.corrupted", "the canary was put and is not there", sandboxed::in_a_directory;
    "put-nothing-quietly": "corrupt", "", served::verify;
    "short-put": "driver.failed", "not read to its end", sandboxed::put_object;
    "body-ignored-put": "driver.failed", "not read to its end", sandboxed::put_object;
    "lying-get": "driver.failed", "it said that it wrote", sandboxed::get_object;
    "get-forever": "driver.failed", "", sandboxed::get_object;
    "partial-put": "ok", "", sandboxed::in_a_directory;
    "short-get": "corrupt", "", served::verify;
    "long-get": "corrupt", "", served::verify;
    "wrong-get": "corrupt", "", served::verify;
    "list-partial": "ok", "0 objects left", served::delete;
    "endless-pages": "listing-invalid", "", served::delete_fails;
};
