//! Reading an installed driver: a folder that another process may exchange meanwhile, or a lone file.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::digest::Sha256Digest;
use crate::error::{DistributionError, Result, io, shown};
use crate::files::{Folder, open_named};
use crate::manifest::Manifest;
use crate::package::{COMPONENT_FILE, MANIFEST_FILE, Papers, signature_beside};

/// Where an installed driver came from, in one line.
pub(crate) const ORIGIN_FILE: &str = "origin";
const ORIGIN_SIZE: u64 = 8 << 10;
/// How often a driver may be exchanged while it is being read, before that is an error.
const TRIES: usize = 10;

/// What is known of an installed driver without reading its component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Its name.
    pub name: String,
    /// Its component.
    pub component: PathBuf,
    /// Its manifest; none for a lone file.
    pub manifest: Option<Manifest>,
    /// Where it came from, when that is known.
    pub origin: Option<String>,
    /// Whether a signature is kept with it. Whose, and whether it is good, [`Store::verify`](crate::Store::verify) says.
    pub has_signature: bool,
}

/// An installed driver, looked at whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// What is known of it; none when not even that can be read.
    pub installed: Option<Installed>,
    /// Whether it is as it was added.
    pub condition: Condition,
}

/// Whether an installed driver is as it was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Its bytes have the digest of its manifest.
    Whole(Sha256Digest),
    /// A lone file, of which no digest was recorded.
    Unrecorded(Sha256Digest),
    /// Something is missing or changed: what.
    Damaged(String),
}

/// An installed driver whose component is open: what is read of it is of one and the same driver.
pub(crate) struct Opened {
    pub(crate) installed: Installed,
    pub(crate) component: File,
    pub(crate) signature: Option<String>,
}

impl Opened {
    /// Opens the driver of that name, which must be one; none when there is none.
    pub(crate) fn find(store: &Path, name: &str) -> Result<Option<Self>> {
        let path = store.join(name);
        if !path.symlink_metadata().is_ok_and(|about| about.is_dir()) {
            return Self::lone(store, name);
        }
        let mut tries = 0;
        loop {
            tries += 1;
            // Exchanged between the opening of the folder and of its files, the old ones are gone: the new ones are there.
            match Self::folder(&path, name) {
                Err(DistributionError::Io { error, .. })
                    if error.kind() == std::io::ErrorKind::NotFound && tries < TRIES => {}
                other => return other.map(Some),
            }
        }
    }

    /// Opens a driver's folder.
    pub(crate) fn folder(path: &Path, name: &str) -> Result<Self> {
        let folder = Folder::open_real(path)?;
        let missing = |file: &str| io("read", &path.join(file))(std::io::ErrorKind::NotFound.into());
        let papers = Papers::of(&folder)?;
        let text = papers.manifest.ok_or_else(|| missing(MANIFEST_FILE))?;
        let file = path.join(MANIFEST_FILE).display().to_string();
        let manifest = Manifest::parse(&text, &file)?;
        if manifest.name != name {
            return Err(DistributionError::Manifest {
                file,
                key: "name".into(),
                reason: format!(
                    "it is {}, in the folder of {}",
                    shown(&manifest.name),
                    shown(name)
                ),
                valid: "the folder's name".into(),
            });
        }
        let (component, _) = folder
            .file(COMPONENT_FILE)?
            .ok_or_else(|| missing(COMPONENT_FILE))?;
        let origin = folder.text(ORIGIN_FILE, ORIGIN_SIZE)?;
        let origin = origin.map(|text| text.trim().chars().filter(|c| !c.is_control()).collect());
        let installed = Installed {
            name: name.to_owned(),
            component: path.join(COMPONENT_FILE),
            manifest: Some(manifest),
            origin,
            has_signature: papers.signature.is_some(),
        };
        Ok(Opened {
            installed,
            component,
            signature: papers.signature,
        })
    }

    fn lone(store: &Path, name: &str) -> Result<Option<Self>> {
        let path = store.join(format!("{name}.wasm"));
        if !path.exists() {
            return Ok(None);
        }
        // A link is followed here: the system's packages and the deployer may lay one.
        let (component, _) = open_named(&path)?;
        let signature = signature_beside(&path)?;
        let installed = Installed {
            name: name.to_owned(),
            component: path,
            manifest: None,
            origin: None,
            has_signature: signature.is_some(),
        };
        Ok(Some(Opened {
            installed,
            component,
            signature,
        }))
    }

    /// The digest of the component, held against the manifest.
    pub(crate) fn whole(&mut self) -> Result<Sha256Digest> {
        let path = &self.installed.component;
        let (digest, size) = Sha256Digest::read(&mut self.component).map_err(io("read", path))?;
        if let Some(manifest) = &self.installed.manifest {
            manifest.check_bytes(
                &path.with_file_name(MANIFEST_FILE).display().to_string(),
                digest,
                size,
            )?;
        }
        Ok(digest)
    }
}
