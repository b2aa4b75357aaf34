//! Why something about a driver's package could not be done.
//!
//! Every message names what was attempted, what was found, and what to do. Words that came from outside are cut and escaped
//! ([`shown`]), so that a package cannot write to the deployer's terminal.

use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Sha256Digest;

/// What this crate's functions give.
pub type Result<T> = std::result::Result<T, DistributionError>;

/// Why not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DistributionError {
    /// The system's word.
    #[error("{} cannot be {attempted}: {error}", path.display())]
    Io {
        /// What was to be done, as a participle: `read`.
        attempted: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Not a plain file, or a link.
    #[error("{} is {found}; a plain file is wanted there, and links are not followed", path.display())]
    NotAFile {
        /// What was to be read.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// Longer than allowed.
    #[error(
        "{what} has {found} bytes or more; at most {limit} are allowed{}",
        option_for(what)
    )]
    TooLarge {
        /// What is too long.
        what: String,
        /// Bytes that were announced or read.
        found: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// Not WebAssembly.
    #[error(
        "{0} is not WebAssembly (it does not begin with \\0asm); give a component, as `cofferdam driver componentize` makes it"
    )]
    NotWasm(String),
    /// Not a SHA-256.
    #[error(
        "{0} is not a SHA-256: 64 hexadecimal digits are wanted, with or without \"sha256:\" before them"
    )]
    NoDigest(String),
    /// Not a source.
    #[error(
        "{source_text} is no source of a driver: {reason}. A source is a .wasm file, a folder with driver.toml and driver.wasm, an OCI \
         image layout (FOLDER:TAG or FOLDER@sha256:DIGEST), or oci://HOST/REPOSITORY:TAG"
    )]
    Source {
        /// As it was given.
        source_text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A manifest's key is wrong.
    #[error("{file}: {key}: {reason}; valid: {valid}")]
    Manifest {
        /// The manifest.
        file: String,
        /// Which key, as in `option 2, kind`.
        key: String,
        /// What was found.
        reason: String,
        /// What would be right.
        valid: String,
    },
    /// A manifest is not TOML at all.
    #[error("{file} is not TOML: {reason}")]
    ManifestSyntax {
        /// The manifest.
        file: String,
        /// The parser's word, with line and column.
        reason: String,
    },
    /// Bytes are not those that were promised.
    #[error("{0}")]
    DigestMismatch(Box<DigestMismatch>),
    /// Keys are configured and there is no signature.
    #[error("{what} is not signed, and only drivers signed by one of these keys are taken: {}; ask its author for driver.wasm.minisig", keys.join(", "))]
    Unsigned {
        /// Which driver.
        what: String,
        /// Ids of the keys configured.
        keys: Vec<String>,
    },
    /// No configured key fits.
    #[error("the signature of {what} is refused: {reason}; keys tried: {}", keys.join(", "))]
    WrongSignature {
        /// Which driver.
        what: String,
        /// Why.
        reason: String,
        /// Ids of the keys tried.
        keys: Vec<String>,
    },
    /// A configured key is no key.
    #[error(
        "{what} is no minisign public key: {reason}; give the line of minisign.pub that begins with RW, or the file's path"
    )]
    Key {
        /// Which of the keys.
        what: String,
        /// Why.
        reason: String,
    },
    /// An OCI image is not one of a driver.
    #[error("{what} is no driver: {reason}")]
    Image {
        /// Which image.
        what: String,
        /// What was found, and what is wanted.
        reason: String,
    },
    /// A tag is not there, or none was said where there are several.
    #[error("{what}: {reason}; tags there: {}", if tags.is_empty() { "none".to_owned() } else { tags.join(", ") })]
    Tag {
        /// Which layout.
        what: String,
        /// What is wrong.
        reason: String,
        /// What could be said.
        tags: Vec<String>,
    },
    /// A registry did not do it.
    #[error("{reference} cannot be {attempted}: {reason}")]
    Registry {
        /// Which image.
        reference: String,
        /// `fetched` or `pushed`.
        attempted: &'static str,
        /// Why not.
        reason: String,
    },
    /// What the component says of itself is not what its manifest says.
    #[error(
        "{file}: {key} is {claimed}, but the component itself says {said}; the package is not of this component"
    )]
    Claim {
        /// The manifest.
        file: String,
        /// Which key.
        key: String,
        /// The manifest's value.
        claimed: String,
        /// The component's.
        said: String,
    },
    /// Another driver has the name.
    #[error(
        "the driver {name} is installed already, version {version} with the SHA-256 {found}; nothing was changed (--replace puts the new \
         one in its place)"
    )]
    Installed {
        /// The name.
        name: String,
        /// Its version there.
        version: String,
        /// Its digest there.
        found: Sha256Digest,
    },
    /// Something that no add made has the name.
    #[error("{}: {reason}; nothing was changed", path.display())]
    InTheWay {
        /// What.
        path: PathBuf,
        /// Why it stays, and what to do.
        reason: String,
    },
    /// There is no such driver.
    #[error("there is no installed driver {name} in {}; drivers there: {}", store.display(), if known.is_empty() { "none".to_owned() } else { known.join(", ") })]
    Unknown {
        /// As it was asked for.
        name: String,
        /// Where.
        store: PathBuf,
        /// What is there.
        known: Vec<String>,
    },
    /// Backends need it.
    #[error("the driver {name} is used by {}; nothing was changed: take it out of their configuration first", users.join(", "))]
    InUse {
        /// The driver.
        name: String,
        /// The backends.
        users: Vec<String>,
    },
}

/// Bytes are not those that were promised.
#[derive(Debug, thiserror::Error)]
#[error("{what} has the SHA-256 {found}, but {promised_by} says {expected}; {remedy}")]
pub struct DigestMismatch {
    /// What was read.
    pub what: String,
    /// Its digest.
    pub found: Sha256Digest,
    /// Who promised another.
    pub promised_by: String,
    /// Which.
    pub expected: Sha256Digest,
    /// What to do.
    pub remedy: &'static str,
}

impl From<DigestMismatch> for DistributionError {
    fn from(mismatch: DigestMismatch) -> Self {
        DistributionError::DigestMismatch(Box::new(mismatch))
    }
}

fn option_for(what: &str) -> &'static str {
    if what.contains("component") {
        " (driver_component_size)"
    } else {
        ""
    }
}

/// Words from outside: cut after 120 characters, quoted, and with whatever is not printable escaped.
pub(crate) fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(120).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

/// A system's error, with what was attempted.
pub(crate) fn io(attempted: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DistributionError {
    let path = path.to_owned();
    move |error| DistributionError::Io {
        attempted,
        path,
        error,
    }
}

/// The same of one of rustix's calls.
pub(crate) fn os(
    attempted: &'static str,
    path: &Path,
) -> impl FnOnce(rustix::io::Errno) -> DistributionError {
    let failed = io(attempted, path);
    move |error| failed(error.into())
}
