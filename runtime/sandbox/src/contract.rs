//! The contract in Rust: types and calls generated from `wit/0.1.0`, which is its one specification.
//!
//! Everything above this crate uses these types as they are, so that one idea has one name from the WIT file to
//! the REST answer. The generated code itself stays inside the sandbox.

mod generated {
    #![allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        clippy::indexing_slicing,
        clippy::large_futures,
        reason = "generated from the WIT files, which carry the documentation"
    )]
    wasmtime::component::bindgen!({
        path: "../../wit/0.1.0",
        world: "cofferdam:backup/driver",
        imports: { default: async | trappable },
        exports: { default: async },
        additional_derives: [PartialEq, Clone, serde::Serialize],
        with: {
            "wasi:io": wasmtime_wasi::p2::bindings::io,
            "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
            "wasi:random": wasmtime_wasi::p2::bindings::random,
            "wasi:filesystem": wasmtime_wasi::p2::bindings::filesystem,
            "wasi:cli": wasmtime_wasi::p2::bindings::cli,
            "wasi:http": wasmtime_wasi_http::p2::bindings::http,
        },
    });
}

/// What a later version of the contract might add: looked for among a driver's exports, and done without. See `wit/trial`.
mod later {
    #![allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        clippy::indexing_slicing,
        clippy::large_futures,
        reason = "generated from the WIT files, which carry the documentation"
    )]
    wasmtime::component::bindgen!({
        path: "../../wit/trial",
        world: "cofferdam:space/trial",
        exports: { default: async },
        additional_derives: [PartialEq, Clone, serde::Serialize],
    });
}

pub use generated::cofferdam::backup::types::{
    BackupIdentity, BodyInfo, BodyNeeds, ByteRange, ContainerPage, DriverInfo, Error as DriverError,
    InvalidOption, ObjectAddress, ObjectInfo, OptionInfo, OptionKind, Page, Placement, Setting, SettingValue,
    Throttle,
};
pub(crate) use generated::cofferdam::backup::{host, secrets};
pub(crate) use generated::{Driver as Bindings, DriverIndices};
pub use later::exports::cofferdam::space::space::Usage as SpaceUsage;
pub(crate) use later::{Trial as Later, TrialIndices as LaterIndices};

impl serde::Serialize for BodyNeeds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = [
            (BodyNeeds::SIZE, "size"),
            (BodyNeeds::MD5, "md5"),
            (BodyNeeds::SHA256, "sha256"),
            (BodyNeeds::CRC32C, "crc32c"),
        ];
        serializer.collect_seq(
            names
                .into_iter()
                .filter(|(flag, _)| self.contains(*flag))
                .map(|(_, name)| name),
        )
    }
}
