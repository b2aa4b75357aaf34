//! The folder of installed drivers: one folder of `driver_path`.
//!
//! An installed driver is a package folder under its name: `NAME/driver.wasm`, `driver.toml`, `origin` (where it came from) and, when
//! it was signed, `driver.wasm.minisig`. Beside them there may be lone `NAME.wasm` files, put there by hand or by the system's packages;
//! they are listed and verified, but not this crate's to remove.
//!
//! Problem: two adds at once, a kill or a power cut at any point, and a service that starts meanwhile. Solution: everything is made under
//! a hidden name, synced, and becomes visible or invisible by one rename under the folder's lock. A hidden folder is claimed by whoever
//! makes it; one that nobody claims any more is what a killed process left, and the next change removes it. Readers need no
//! lock: they open the folder once and read below that handle.
//!
//! Cost: listing and verifying read every byte (about 1 GB/s).

use std::path::{Path, PathBuf};

use crate::digest::Sha256Digest;
use crate::error::{DistributionError, Result, io, shown};
use crate::files::{Folder, open_named};
use crate::manifest::Manifest;
use crate::manifest_read::is_name;
use crate::package::{COMPONENT_FILE, MANIFEST_FILE, Papers, hidden_in, signature_beside};
use crate::signature::{Signer, TrustedKeys};

/// Where an installed driver came from, in one line.
pub(crate) const ORIGIN_FILE: &str = "origin";
const ORIGIN_SIZE: u64 = 8 << 10;
const ADDING: &str = ".add-";
const REMOVED: &str = ".removed-";

/// A folder of installed drivers.
#[derive(Debug, Clone)]
pub struct Store {
    path: PathBuf,
}

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
    /// Whether a signature is kept with it. Whose, and whether it is good, [`Store::verify`] says.
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

/// A hidden folder in the store, claimed by this process; gone when dropped.
#[derive(Debug)]
pub(crate) struct Staging {
    pub(crate) claim: Folder,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) store: PathBuf,
}

impl Staging {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Store {
    /// The store in a folder that is there.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        Folder::open(path)?;
        Ok(Store {
            path: path.to_owned(),
        })
    }

    /// The store in a folder, which is made when it is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path).map_err(io("made", path))?;
        Self::open(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Holds the store against other changes until the value is dropped, and removes what killed processes left.
    pub(crate) fn lock(path: &Path) -> Result<Folder> {
        let folder = Folder::open(path)?;
        folder.claim()?;
        for name in names(path)? {
            let left = path.join(&name);
            let dead = name.starts_with(REMOVED)
                || name.starts_with(ADDING)
                    && Folder::open_real(&left).is_ok_and(|folder| folder.try_claim());
            if dead {
                // What cannot be removed stays hidden; that is no reason not to do what was asked.
                let _ = std::fs::remove_dir_all(&left);
            }
        }
        Ok(folder)
    }

    pub(crate) fn stage(&self) -> Result<Staging> {
        let _lock = Self::lock(&self.path)?;
        let folder = hidden_in(&self.path, ADDING)?;
        let claim = Folder::open_real(folder.path())?;
        claim.claim()?;
        Ok(Staging {
            claim,
            folder,
            store: self.path.clone(),
        })
    }

    /// The driver of that name; none when there is none. Reads its manifest, not its component.
    ///
    /// # Errors
    /// When it is there but cannot be read, or is none.
    pub fn find(&self, name: &str) -> Result<Option<Installed>> {
        if !is_name(name) {
            return Ok(None);
        }
        Ok(self.opened(name)?.map(|(installed, ..)| installed))
    }

    /// All drivers by name, each read whole.
    ///
    /// # Errors
    /// When the folder cannot be read; a driver that cannot is [`Condition::Damaged`].
    pub fn list(&self) -> Result<Vec<Listed>> {
        Ok(self.names()?.into_iter().map(|name| self.look(name)).collect())
    }

    fn look(&self, name: String) -> Listed {
        let opened = match self.opened(&name) {
            Ok(Some(opened)) => opened,
            Ok(None) => {
                return Listed {
                    name,
                    installed: None,
                    condition: Condition::Damaged("it is gone".into()),
                };
            }
            Err(error) => {
                return Listed {
                    name,
                    installed: None,
                    condition: Condition::Damaged(error.to_string()),
                };
            }
        };
        let (installed, mut component, _) = opened;
        let condition = match whole(&installed, &mut component) {
            Ok(digest) if installed.manifest.is_some() => Condition::Whole(digest),
            Ok(digest) => Condition::Unrecorded(digest),
            Err(error) => Condition::Damaged(error.to_string()),
        };
        Listed {
            name,
            installed: Some(installed),
            condition,
        }
    }

    /// Checks a driver again: its bytes against its manifest and against `pin`, and its signature when there are keys.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify(
        &self,
        name: &str,
        keys: &TrustedKeys,
        pin: Option<Sha256Digest>,
    ) -> Result<(Sha256Digest, Option<Signer>)> {
        let opened = if is_name(name) { self.opened(name)? } else { None };
        let (installed, mut component, signature) = opened.ok_or_else(|| self.unknown(name))?;
        let found = whole(&installed, &mut component)?;
        let what = installed.component.display().to_string();
        if let Some(expected) = pin.filter(|pin| *pin != found) {
            return Err(DistributionError::DigestMismatch {
                what,
                found,
                promised_by: "the configuration".into(),
                expected,
                remedy: "it is another driver than the one that was pinned",
            });
        }
        let signer = keys.check(&what, &mut component, signature.as_deref())?;
        Ok((found, signer))
    }

    /// Removes a driver. `users` are the backends that use it: while there are any, it stays.
    ///
    /// # Errors
    /// When it is not there, is used, or is a lone file.
    pub fn remove(&self, name: &str, users: &[String]) -> Result<()> {
        if !users.is_empty() {
            return Err(DistributionError::InUse {
                name: name.to_owned(),
                users: users.to_vec(),
            });
        }
        if !is_name(name) {
            return Err(self.unknown(name));
        }
        let lock = Self::lock(&self.path)?;
        let path = self.path.join(name);
        let Ok(about) = path.symlink_metadata() else {
            let alone = self.path.join(format!("{name}.wasm"));
            if alone.symlink_metadata().is_ok() {
                let reason =
                    "a lone file was put here by hand or by the system's packages: remove it the same way";
                return Err(DistributionError::InTheWay {
                    path: alone,
                    reason: reason.into(),
                });
            }
            return Err(self.unknown(name));
        };
        if !about.is_dir() {
            let reason = "it is no driver's folder".to_owned();
            return Err(DistributionError::InTheWay { path, reason });
        }
        // An empty folder of a new name is taken by the renamed one.
        let hidden = hidden_in(&self.path, REMOVED)?;
        std::fs::rename(&path, hidden.path()).map_err(io("removed", &path))?;
        lock.sync()?;
        hidden.close().map_err(io("removed", &path))
    }

    fn unknown(&self, name: &str) -> DistributionError {
        let known = self.names().unwrap_or_default();
        DistributionError::Unknown {
            name: shown(name),
            store: self.path.clone(),
            known,
        }
    }

    /// Names of all that looks like a driver, in order.
    fn names(&self) -> Result<Vec<String>> {
        let is_driver = |name: String| {
            let about = self.path.join(&name).symlink_metadata().ok()?;
            let name = if about.is_dir() {
                name.as_str()
            } else {
                name.strip_suffix(".wasm")?
            };
            is_name(name).then(|| name.to_owned())
        };
        let mut found: Vec<String> = names(&self.path)?.into_iter().filter_map(is_driver).collect();
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// A driver's papers and its open component. Between looking and reading it can be exchanged for a new one; then the new one is read.
    #[expect(
        clippy::type_complexity,
        reason = "three things that belong together for ten lines"
    )]
    fn opened(&self, name: &str) -> Result<Option<(Installed, std::fs::File, Option<String>)>> {
        let path = self.path.join(name);
        if !path.symlink_metadata().is_ok_and(|about| about.is_dir()) {
            return self.lone(name);
        }
        let mut tries = 0;
        loop {
            tries += 1;
            match installed(&path, name) {
                Err(DistributionError::Io { error, .. })
                    if error.kind() == std::io::ErrorKind::NotFound && tries < 10 => {}
                other => return other.map(Some),
            }
        }
    }

    #[expect(clippy::type_complexity, reason = "as above")]
    fn lone(&self, name: &str) -> Result<Option<(Installed, std::fs::File, Option<String>)>> {
        let path = self.path.join(format!("{name}.wasm"));
        if !path.exists() {
            return Ok(None);
        }
        // A link is followed here: the system's packages and the deployer may lay one.
        let (file, _) = open_named(&path)?;
        let signature = signature_beside(&path)?;
        let installed = Installed {
            name: name.to_owned(),
            component: path,
            manifest: None,
            origin: None,
            has_signature: signature.is_some(),
        };
        Ok(Some((installed, file, signature)))
    }
}

/// Reads an installed driver's folder.
pub(crate) fn installed(path: &Path, name: &str) -> Result<(Installed, std::fs::File, Option<String>)> {
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
    Ok((installed, component, papers.signature))
}

/// The digest of a component, held against its manifest.
pub(crate) fn whole(installed: &Installed, component: &mut std::fs::File) -> Result<Sha256Digest> {
    let path = &installed.component;
    let (digest, size) = Sha256Digest::read(component).map_err(io("read", path))?;
    if let Some(manifest) = &installed.manifest {
        manifest.check_bytes(
            &path.with_file_name(MANIFEST_FILE).display().to_string(),
            digest,
            size,
        )?;
    }
    Ok(digest)
}

fn names(path: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(io("listed", path))? {
        let entry = entry.map_err(io("listed", path))?;
        found.extend(entry.file_name().into_string());
    }
    Ok(found)
}
