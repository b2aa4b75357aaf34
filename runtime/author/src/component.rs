//! A component out of a core module.
//!
//! A compiler for C, Zig or Go makes a core module whose imports and exports are named by the contract, or by WASI's first preview.
//! The contract's types are added unless the module brings them along, and an adapter turns the first preview into what the
//! sandbox offers. The result is checked as a whole.

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, UnresolvedPackageGroup, WorldId};

use crate::files;

/// The world that a driver is.
const WORLD: &str = "cofferdam:backup/driver";

/// Where the contract's types stand in a core module.
const TYPES: &str = "component-type";

/// Why no component was made.
#[derive(Debug, thiserror::Error)]
pub enum Unsuitable {
    /// What was given is no core module.
    #[error("this is no WebAssembly core module: {0}")]
    NoModule(String),
    /// What was given is a component already.
    #[error("this is a component already")]
    Component,
    /// Its imports and exports are not those of a driver.
    #[error("the module does not fit the contract {WORLD}: {0}")]
    Contract(String),
}

/// Makes a component of a core module.
///
/// # Errors
/// [`Unsuitable`], with the words of what checked it.
pub fn componentize(module: &[u8]) -> Result<Vec<u8>, Unsuitable> {
    let mut module = module.to_vec();
    if !has_types(&module)? {
        let (resolve, world) = contract().map_err(|error| Unsuitable::Contract(format!("{error:#}")))?;
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
            .map_err(|error| Unsuitable::Contract(format!("{error:#}")))?;
    }
    let made = ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|encoder| {
            encoder.adapter(
                WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
                WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
            )
        })
        .and_then(|mut encoder| encoder.encode());
    made.map_err(|error| Unsuitable::Contract(format!("{error:#}")))
}

/// Whether a core module brings the types of a component along.
fn has_types(module: &[u8]) -> Result<bool, Unsuitable> {
    let broken = |error: wasmparser::BinaryReaderError| Unsuitable::NoModule(error.to_string());
    let mut found = false;
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(broken)? {
            Payload::Version {
                encoding: wasmparser::Encoding::Component,
                ..
            } => return Err(Unsuitable::Component),
            Payload::CustomSection(section) => found |= section.name().starts_with(TYPES),
            _ => {}
        }
    }
    Ok(found)
}

/// The contract, from the WIT files in the binary.
fn contract() -> Result<(Resolve, WorldId), Box<dyn std::error::Error>> {
    let (mut own, mut others) = (String::new(), Vec::new());
    for (path, content) in files::below("wit/0.1.0") {
        let text = std::str::from_utf8(content)?;
        if path.starts_with("deps/") {
            let group = UnresolvedPackageGroup::parse(path, text).map_err(|(_, error)| error)?;
            others.push(group);
        } else {
            // One package in several files; only the first may name it.
            let text = match own.is_empty() {
                true => text,
                false => text.split_once(';').map_or(text, |(_, rest)| rest),
            };
            own.push_str(text);
        }
    }
    let own = UnresolvedPackageGroup::parse("cofferdam.wit", &own).map_err(|(_, error)| error)?;
    let mut resolve = Resolve::default();
    let package = resolve.push_groups(own, others)?;
    let world = resolve.select_world(&[package], Some(WORLD))?;
    Ok((resolve, world))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_module_or_no_driver_is_refused_with_the_reason() {
        assert!(matches!(componentize(b"text"), Err(Unsuitable::NoModule(_))));
        assert!(matches!(
            componentize(&wat::parse_str("(component)").unwrap()),
            Err(Unsuitable::Component)
        ));
        let said = componentize(&wat::parse_str("(module)").unwrap())
            .unwrap_err()
            .to_string();
        assert!(
            said.contains("does not fit the contract") && said.contains("backup-driver"),
            "{said}"
        );
    }

    #[test]
    fn the_contract_in_the_binary_has_the_world() {
        contract().unwrap();
    }
}
