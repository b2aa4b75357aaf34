//! What a component file is, read from its bytes before anything is compiled or run.
//!
//! Refused here, with names: a file that is no WebAssembly, a core module, a damaged file, one over the size limit, a
//! component of another world, an import that this host does not have, an export lifted asynchronously, a contract
//! version that this host does not know. Cost: one validation pass (milliseconds per MiB), no execution.

mod producers;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wasmparser::component_types::ComponentEntityType;
use wasmparser::{Encoding, Parser, Payload, Validator, WasmFeatures};

use crate::failure::Failure;
use crate::limits::Limits;

/// The contract's package.
const CONTRACT: &str = "cofferdam:backup/";

/// The contract version that this host speaks.
pub const CONTRACT_VERSION: &str = "0.1.0";

/// The interfaces that every driver exports.
const EXPORTS: [&str; 2] = ["backup-driver", "object-store"];

/// Packages of WASI 0.2 whose interfaces may be imported. What is not granted is inert.
const WASI: [&str; 7] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:http/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];

/// Counts the ways in which components were examined so far: what an older way let through is examined again.
pub(crate) const EXAMINATION: u32 = 1;

/// What was read from a component file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentReport {
    /// Bytes of the file.
    pub size: u64,
    /// SHA-256 of the file, lower-case hex.
    pub digest: String,
    /// The contract version that its exports name.
    pub contract: String,
    /// Languages and tools that it says it was made with.
    pub producers: Vec<String>,
    /// Names of all imports, as written in the file.
    pub imports: Vec<String>,
    /// Names of all exports, as written in the file.
    pub exports: Vec<String>,
}

fn refuse(reason: impl Into<String>) -> Failure {
    Failure::InvalidComponent {
        reason: reason.into(),
    }
}

/// SHA-256 in lower-case hex: what a component is known by.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A component may not be greater than the deployer allows.
pub(crate) fn check_size(size: u64, limits: &Limits) -> Result<(), Failure> {
    if size <= limits.component_size {
        return Ok(());
    }
    Err(refuse(format!(
        "the file has {size} bytes; driver_component_size allows {}",
        limits.component_size
    )))
}

/// Reads and checks a component's bytes.
///
/// # Errors
/// [`Failure::InvalidComponent`], which says what was found.
pub fn examine(bytes: &[u8], limits: &Limits) -> Result<ComponentReport, Failure> {
    let size = bytes.len() as u64;
    check_size(size, limits)?;
    if !bytes.starts_with(b"\0asm") {
        return Err(refuse(
            "the file is not WebAssembly (it does not begin with \\0asm)",
        ));
    }
    if !Parser::is_component(bytes) {
        return Err(refuse("the file is a core module, not a component"));
    }
    let types = Validator::new_with_features(WasmFeatures::all())
        .validate_all(bytes)
        .map_err(|error| {
            refuse(format!(
                "the file is damaged: {} (at byte {})",
                error.message(),
                error.offset()
            ))
        })?;
    let (imports, exports) = names(bytes)?;

    for import in &imports {
        if !is_known_import(import) {
            return Err(refuse(format!(
                "it imports {import:?}, which this host does not have"
            )));
        }
    }
    let contract = contract_version(&exports)?;
    for interface in EXPORTS {
        let export = format!("{CONTRACT}{interface}@{contract}");
        let item = types.component_item_for_export(&export).map(|item| item.ty);
        let Some(ComponentEntityType::Instance(id)) = item else {
            return Err(refuse(format!("it does not export the interface {export:?}")));
        };
        for (name, item) in types
            .as_ref()
            .get(id)
            .into_iter()
            .flat_map(|instance| &instance.exports)
        {
            if let ComponentEntityType::Func(id) = item.ty
                && types.as_ref().get(id).is_some_and(|function| function.async_)
            {
                return Err(refuse(format!(
                    "{export:?} lifts {name:?} asynchronously; the contract is synchronous"
                )));
            }
        }
    }
    Validator::new_with_features(enabled_features())
        .validate_all(bytes)
        .map_err(|error| {
            refuse(format!(
                "it uses a WebAssembly proposal that is switched off here: {}",
                error.message()
            ))
        })?;
    Ok(ComponentReport {
        size,
        digest: digest(bytes),
        contract,
        producers: producers::producers(bytes),
        imports,
        exports,
    })
}

/// What guests may use: released WebAssembly with the component model, without what the design switches off.
fn enabled_features() -> WasmFeatures {
    let mut features = WasmFeatures::default();
    features.remove(
        WasmFeatures::GC
            | WasmFeatures::THREADS
            | WasmFeatures::SHARED_EVERYTHING_THREADS
            | WasmFeatures::MULTI_MEMORY
            | WasmFeatures::MEMORY64
            | WasmFeatures::STACK_SWITCHING
            | WasmFeatures::CM_ASYNC,
    );
    features
}

fn is_known_import(name: &str) -> bool {
    let Some((interface, version)) = name.split_once('@') else {
        return false;
    };
    if WASI.iter().any(|package| interface.starts_with(package)) {
        return version.starts_with("0.2.");
    }
    let ours = interface.strip_prefix("cofferdam:backup/");
    matches!(ours, Some("host" | "secrets" | "types")) && version == CONTRACT_VERSION
}

/// The contract's version in the names of the exports.
fn contract_version(exports: &[String]) -> Result<String, Failure> {
    let version = exports.iter().find_map(|name| {
        let (interface, version) = name.strip_prefix(CONTRACT)?.split_once('@')?;
        EXPORTS.contains(&interface).then(|| version.to_owned())
    });
    match version {
        None => Err(refuse(format!(
            "it does not export {CONTRACT}{}: it is built for another world (exports: {})",
            EXPORTS.join(" and "),
            if exports.is_empty() {
                "none".into()
            } else {
                exports.join(", ")
            }
        ))),
        Some(version) if version != CONTRACT_VERSION => Err(refuse(format!(
            "it is built for version {version} of the contract; this host speaks {CONTRACT_VERSION}"
        ))),
        Some(version) => Ok(version),
    }
}

/// Names of the outermost component's imports and exports.
fn names(bytes: &[u8]) -> Result<(Vec<String>, Vec<String>), Failure> {
    let damaged = |error: wasmparser::BinaryReaderError| refuse(format!("the file is damaged: {error}"));
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(damaged)? {
            Payload::Version {
                encoding: Encoding::Component | Encoding::Module,
                ..
            } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    imports.push(import.map_err(damaged)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    exports.push(export.map_err(damaged)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok((imports, exports))
}
