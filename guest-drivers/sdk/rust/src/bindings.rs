//! The contract in Rust, generated from `wit/0.1.0`, whose comments are its one specification.
//!
//! WASI's interfaces are those of the `wasip2` crate, so that a driver's streams and descriptors and the SDK's
//! are the same types. Authors use the re-exports of the crate's root; this module is public for the
//! [`export!`](crate::export!) macro.

#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::indexing_slicing,
    clippy::allow_attributes_without_reason,
    reason = "generated from the WIT files, which carry the documentation"
)]

macro_rules! generate {
    ($path:tt) => {
        wit_bindgen::generate!({
            path: $path,
            world: "cofferdam:backup/driver",
            with: {
                "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
                "wasi:clocks/wall-clock@0.2.12": wasip2::clocks::wall_clock,
                "wasi:random/random@0.2.12": wasip2::random::random,
                "wasi:io/error@0.2.12": wasip2::io::error,
                "wasi:io/poll@0.2.12": wasip2::io::poll,
                "wasi:io/streams@0.2.12": wasip2::io::streams,
                "wasi:filesystem/types@0.2.12": wasip2::filesystem::types,
                "wasi:filesystem/preopens@0.2.12": wasip2::filesystem::preopens,
                "wasi:cli/environment@0.2.12": wasip2::cli::environment,
                "wasi:cli/stdin@0.2.12": wasip2::cli::stdin,
                "wasi:cli/stdout@0.2.12": wasip2::cli::stdout,
                "wasi:cli/stderr@0.2.12": wasip2::cli::stderr,
                "wasi:http/types@0.2.12": wasip2::http::types,
                "wasi:http/outgoing-handler@0.2.12": wasip2::http::outgoing_handler,
            },
            pub_export_macro: true,
            default_bindings_module: "cofferdam_driver::bindings",
        });
    };
}

// Where build.rs found it.
#[cfg(contract_beside)]
generate!("../wit/0.1.0");
#[cfg(not(contract_beside))]
generate!("../../../wit/0.1.0");
