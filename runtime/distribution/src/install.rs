//! The last step of an add: what was fetched and described becomes an installed driver, whole or not at all.

use std::path::PathBuf;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::error::{DistributionError, Result, io, os};
use crate::fetch::Fetched;
use crate::files::write;
use crate::installed::{ORIGIN_FILE, Opened};
use crate::manifest::{Described, Manifest};
use crate::package::MANIFEST_FILE;
use crate::store::Store;

/// What came of an add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// New, exchanged, or as before.
    pub outcome: Outcome,
    /// What is installed now.
    pub manifest: Manifest,
    /// Its component.
    pub component: PathBuf,
}

/// What an add changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// There was none of that name.
    Added,
    /// The very same bytes were there, whole and no worse signed; nothing was changed.
    Present,
    /// Another took its place; its version before, when it could be read.
    Replaced(Option<String>),
}

impl Fetched {
    /// Installs the driver under the name that it says itself. `said` is what the component said when it was described; `licence` is
    /// the deployer's word for one that came without a manifest. With `replace`, a driver of that name is exchanged for this one in
    /// one step; until then the old one is there.
    ///
    /// # Errors
    /// When the manifest is not of this component, or the name is taken; then what was installed is as before.
    pub fn install(self, said: &Described, licence: Option<&str>, replace: bool) -> Result<Installation> {
        let manifest = match self.manifest {
            Some(manifest) => {
                manifest.check_claims(&format!("{}, {MANIFEST_FILE}", self.origin), said)?;
                manifest
            }
            None => Manifest::of(said, self.sha256, self.size, licence)?,
        };
        let hidden = self.staging.path();
        write(&hidden.join(MANIFEST_FILE), manifest.to_toml().as_bytes())?;
        write(&hidden.join(ORIGIN_FILE), format!("{}\n", self.origin).as_bytes())?;
        self.staging.claim.sync()?;

        let lock = Store::lock(&self.staging.store)?;
        let path = self.staging.store.join(&manifest.name);
        let alone = self.staging.store.join(format!("{}.wasm", manifest.name));
        let component = path.join(crate::COMPONENT_FILE);
        let in_the_way = |path: PathBuf, reason: &str| DistributionError::InTheWay {
            path,
            reason: reason.into(),
        };
        if alone.symlink_metadata().is_ok() {
            return Err(in_the_way(
                alone,
                "a lone file has the driver's name already: remove it, or do not add",
            ));
        }
        let Ok(about) = path.symlink_metadata() else {
            std::fs::rename(hidden, &path).map_err(io("installed", &path))?;
            // It has another name now; there is nothing hidden left to remove.
            let _ = self.staging.folder.keep();
            lock.sync()?;
            return Ok(Installation {
                outcome: Outcome::Added,
                manifest,
                component,
            });
        };
        if !about.is_dir() {
            return Err(in_the_way(
                path,
                "it is no driver's folder, but has the driver's name",
            ));
        }
        let old = Opened::folder(&path, &manifest.name).and_then(|mut old| {
            let digest = old.whole()?;
            // The same bytes under a signature that is not there yet are worth an exchange.
            let as_good =
                digest == self.sha256 && (self.signature.is_none() || self.signature == old.signature);
            Ok((old.installed, digest, as_good))
        });
        let version = match old {
            Ok((old, digest, as_good)) if !replace && (as_good || digest != self.sha256) => {
                if as_good {
                    let manifest = old.manifest.unwrap_or(manifest);
                    return Ok(Installation {
                        outcome: Outcome::Present,
                        manifest,
                        component,
                    });
                }
                let version = old.manifest.map(|manifest| manifest.version).unwrap_or_default();
                return Err(DistributionError::Installed {
                    name: manifest.name,
                    version,
                    found: digest,
                });
            }
            Err(error) if !replace => {
                let reason = format!(
                    "a damaged driver has the name ({error}); --replace puts the new one in its place"
                );
                return Err(in_the_way(path, &reason));
            }
            Ok((old, ..)) => old.manifest.map(|manifest| manifest.version),
            Err(_) => None,
        };
        match renameat_with(CWD, hidden, CWD, &path, RenameFlags::EXCHANGE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                let reason =
                    "this file system cannot exchange two folders in one step: remove the driver, then add";
                return Err(in_the_way(path, reason));
            }
            done => done.map_err(os("replaced", &path))?,
        }
        lock.sync()?;
        // The hidden folder is the old driver now, and goes with the value.
        Ok(Installation {
            outcome: Outcome::Replaced(version),
            manifest,
            component,
        })
    }
}
