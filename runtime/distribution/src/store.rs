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
use crate::error::{DigestMismatch, DistributionError, Result, io, shown};
use crate::files::Folder;
use crate::installed::{Condition, Installed, Listed, Opened};
use crate::manifest_read::is_name;
use crate::package::hidden_in;
use crate::signature::{Signer, TrustedKeys};

const ADDING: &str = ".add-";
const REMOVED: &str = ".removed-";

/// A folder of installed drivers.
#[derive(Debug, Clone)]
pub struct Store {
    path: PathBuf,
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
        Ok(Opened::find(&self.path, name)?.map(|opened| opened.installed))
    }

    /// All drivers by name, each read whole.
    ///
    /// # Errors
    /// When the folder cannot be read; a driver that cannot is [`Condition::Damaged`].
    pub fn list(&self) -> Result<Vec<Listed>> {
        Ok(self.names()?.into_iter().map(|name| self.look(name)).collect())
    }

    fn look(&self, name: String) -> Listed {
        let damaged = |why: String| Condition::Damaged(why);
        let mut opened = match Opened::find(&self.path, &name) {
            Ok(Some(opened)) => opened,
            Ok(None) => {
                return Listed {
                    name,
                    installed: None,
                    condition: damaged("it is gone".into()),
                };
            }
            Err(error) => {
                return Listed {
                    name,
                    installed: None,
                    condition: damaged(error.to_string()),
                };
            }
        };
        let condition = match opened.whole() {
            Ok(digest) if opened.installed.manifest.is_some() => Condition::Whole(digest),
            Ok(digest) => Condition::Unrecorded(digest),
            Err(error) => damaged(error.to_string()),
        };
        Listed {
            name,
            installed: Some(opened.installed),
            condition,
        }
    }

    /// Checks a driver again: its bytes against its manifest and against `pin`, and its signature when there are keys. Says the digest:
    /// whoever loads the driver afterwards compares it with what was loaded, so that nothing can come between.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify(
        &self,
        name: &str,
        keys: &TrustedKeys,
        pin: Option<Sha256Digest>,
    ) -> Result<(Sha256Digest, Option<Signer>)> {
        let opened = if is_name(name) {
            Opened::find(&self.path, name)?
        } else {
            None
        };
        let mut opened = opened.ok_or_else(|| self.unknown(name))?;
        let found = opened.whole()?;
        let what = opened.installed.component.display().to_string();
        if let Some(expected) = pin.filter(|pin| *pin != found) {
            return Err(DigestMismatch {
                what,
                found,
                promised_by: "the configuration".into(),
                expected,
                remedy: "it is another driver than the one that was pinned",
            }
            .into());
        }
        let signer = keys.check(&what, &mut opened.component, opened.signature.as_deref())?;
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
}

fn names(path: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(io("listed", path))? {
        let entry = entry.map_err(io("listed", path))?;
        found.extend(entry.file_name().into_string());
    }
    Ok(found)
}
