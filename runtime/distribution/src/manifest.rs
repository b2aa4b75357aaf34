//! `driver.toml`: what a driver's package says of its component.
//!
//! Problem: a deployer wants to know name, version, licence and options before a stranger's program runs, and whoever wrote the
//! manifest may have lied. Solution: nothing in it is believed. It is parsed strictly (`manifest_read`), its digest is held against
//! the bytes, and its words against what the component says of itself ([`Manifest::check_claims`]). Only licence and description are
//! the author's word alone.
//!
//! Bound: [`MANIFEST_SIZE`] bytes, and a greatest length for each text.

use std::fmt::Write as _;

use crate::digest::Sha256Digest;
use crate::error::{DigestMismatch, DistributionError, Result, shown};
use crate::manifest_read::as_description;

/// Bytes that a manifest may have.
pub(crate) const MANIFEST_SIZE: u64 = 256 << 10;
/// Options that a driver may take; the host allows no more either.
pub(crate) const MAX_OPTIONS: usize = 256;
/// What a licence is when nobody said: SPDX's word for it.
pub(crate) const NO_LICENCE: &str = "NOASSERTION";

/// What is known of a driver without running it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Manifest {
    /// Its name: lower-case letters, digits, `-` and `_`, at most 64. Its folder's name when it is installed.
    pub name: String,
    /// The driver's own version, at most 64 characters.
    pub version: String,
    /// Version of the contract that it was built for: `0.1.0`.
    pub contract: String,
    /// SHA-256 of the component.
    #[serde(serialize_with = "as_text")]
    pub sha256: Sha256Digest,
    /// Bytes of the component.
    pub size: u64,
    /// An SPDX expression, at most 128 characters; `NOASSERTION` when nobody said.
    pub licence: String,
    /// One sentence, at most 1000 characters.
    pub description: String,
    /// The options that it takes, for show.
    pub options: Vec<OptionEntry>,
}

/// One option of a driver, for show.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OptionEntry {
    /// The name, as the deployer writes it in a backend's section.
    pub name: String,
    /// What its value is.
    pub kind: OptionKind,
    /// Whether a backend must set it.
    pub required: bool,
}

/// What an option's value is: a kind of the contract, by its name there (`read-only-directory`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct OptionKind(&'static str);

impl OptionKind {
    /// The names of all kinds.
    pub const NAMES: [&'static str; 14] = [
        "text",
        "integer",
        "size",
        "duration",
        "boolean",
        "directory",
        "read-only-directory",
        "secret",
        "url",
        "tls-ca-file",
        "tls-verify",
        "tls-insecure",
        "http-proxy",
        "https-proxy",
    ];

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|known| *known == name).map(Self)
    }

    /// Its name in the contract.
    pub fn name(self) -> &'static str {
        self.0
    }
}

/// What a component said of itself when it was described, and what was read from its binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// `driver-info.name`.
    pub name: String,
    /// `driver-info.version`.
    pub version: String,
    /// The contract's version that its exports name.
    pub contract: String,
    /// `driver-info.description`.
    pub description: String,
    /// `driver-info.options`.
    pub options: Vec<OptionEntry>,
}

impl Manifest {
    /// The manifest of a component that came without one.
    ///
    /// # Errors
    /// When what it says of itself cannot stand in a manifest.
    pub fn of(said: &Described, sha256: Sha256Digest, size: u64, licence: Option<&str>) -> Result<Self> {
        let manifest = Manifest {
            name: said.name.clone(),
            version: said.version.clone(),
            contract: said.contract.clone(),
            sha256,
            size,
            licence: licence.unwrap_or(NO_LICENCE).to_owned(),
            description: as_description(&said.description),
            options: said.options.clone(),
        };
        // One set of rules: what cannot be read again is not written.
        Manifest::parse(&manifest.to_toml(), "what the component says of itself")
    }

    /// Holds the manifest against the component's bytes.
    pub(crate) fn check_bytes(&self, file: &str, sha256: Sha256Digest, size: u64) -> Result<()> {
        if self.sha256 != sha256 {
            return Err(DigestMismatch {
                what: "the component".into(),
                found: sha256,
                promised_by: file.to_owned(),
                expected: self.sha256,
                remedy: "the file was cut off or changed: fetch it again, or ask its author",
            }
            .into());
        }
        if self.size != size {
            return Err(DistributionError::Manifest {
                file: file.to_owned(),
                key: "size".into(),
                reason: format!("it is {}, but the component has {size} bytes", self.size),
                valid: "the component's length in bytes".into(),
            });
        }
        Ok(())
    }

    /// Holds the manifest against what the component says of itself.
    pub(crate) fn check_claims(&self, file: &str, said: &Described) -> Result<()> {
        let claim = |key: String, claimed: &str, said: &str| {
            if claimed == said {
                return Ok(());
            }
            let (claimed, said) = (shown(claimed), shown(said));
            Err(DistributionError::Claim {
                file: file.to_owned(),
                key,
                claimed,
                said,
            })
        };
        claim("name".into(), &self.name, &said.name)?;
        claim("version".into(), &self.version, &said.version)?;
        claim("contract".into(), &self.contract, &said.contract)?;
        let names = |options: &[OptionEntry]| {
            let mut names: Vec<_> = options.iter().map(|option| option.name.clone()).collect();
            names.sort();
            names.join(", ")
        };
        claim("options".into(), &names(&self.options), &names(&said.options))?;
        let kind = |option: &OptionEntry| {
            let needed = if option.required { "required" } else { "optional" };
            format!("{}, {needed}", option.kind.name())
        };
        for option in &self.options {
            if let Some(other) = said.options.iter().find(|other| other.name == option.name) {
                claim(format!("option {}", option.name), &kind(option), &kind(other))?;
            }
        }
        Ok(())
    }

    /// The manifest as a file.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let mut line = |key: &str, value: toml::Value| {
            // Writing to a text does not fail.
            let _ = writeln!(text, "{key} = {value}");
        };
        let words = |value: &str| toml::Value::String(value.to_owned());
        line("name", words(&self.name));
        line("version", words(&self.version));
        line("contract", words(&self.contract));
        line("sha256", words(&self.sha256.to_string()));
        line(
            "size",
            toml::Value::Integer(i64::try_from(self.size).unwrap_or(i64::MAX)),
        );
        line("licence", words(&self.licence));
        line("description", words(&self.description));
        for option in &self.options {
            line("\n[[option]]\nname", words(&option.name));
            line("kind", words(option.kind.name()));
            line("required", toml::Value::Boolean(option.required));
        }
        text
    }
}

fn as_text<S: serde::Serializer>(
    digest: &Sha256Digest,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_str(digest)
}
