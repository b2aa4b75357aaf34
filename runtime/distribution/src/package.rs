//! A package: a folder with a component, its manifest and, if there is one, its signature. Installed drivers have the same form.

use std::path::Path;

use crate::digest::Sha256Digest;
use crate::error::{DistributionError, Result, io};
use crate::files::{Folder, create, open_named, write};
use crate::manifest::{Described, MANIFEST_SIZE, Manifest};
use crate::signature::SIGNATURE_SIZE;

/// The component of a package.
pub const COMPONENT_FILE: &str = "driver.wasm";
/// Its manifest.
pub const MANIFEST_FILE: &str = "driver.toml";
/// Its signature, as minisign writes it beside the component.
pub const SIGNATURE_FILE: &str = "driver.wasm.minisig";

/// What a package says besides its component.
#[derive(Default)]
pub(crate) struct Papers {
    /// The manifest's text.
    pub(crate) manifest: Option<String>,
    /// The signature's text.
    pub(crate) signature: Option<String>,
}

impl Papers {
    pub(crate) fn of(folder: &Folder) -> Result<Self> {
        Ok(Papers {
            manifest: folder.text(MANIFEST_FILE, MANIFEST_SIZE)?,
            signature: folder.text(SIGNATURE_FILE, SIGNATURE_SIZE)?,
        })
    }
}

/// Makes a package out of a component, for authors: `folder` gets the component, its manifest, and its signature when there is one
/// beside it (`NAME.wasm.minisig`). Says what the manifest is.
///
/// # Errors
/// When the folder is there, or the component is none or too long, or its words cannot stand in a manifest; then nothing is left.
pub fn write_package(
    component: &Path,
    said: &Described,
    licence: Option<&str>,
    folder: &Path,
    component_size: u64,
) -> Result<Manifest> {
    if folder.symlink_metadata().is_ok() {
        let reason = "it is there already".to_owned();
        return Err(DistributionError::InTheWay {
            path: folder.to_owned(),
            reason,
        });
    }
    let parent = folder
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let hidden = hidden_in(parent, ".package-")?;
    let (mut source, _) = open_named(component)?;
    let mut copy = Intake::create(&hidden.path().join(COMPONENT_FILE), component_size, None)?;
    copy.take_all(&mut source, component)?;
    let (sha256, size) = copy.finish(&component.display().to_string())?;
    let manifest = Manifest::of(said, sha256, size, licence)?;
    write(&hidden.path().join(MANIFEST_FILE), manifest.to_toml().as_bytes())?;
    let beside = beside(component);
    if let Some(signature) = read_beside(&beside)? {
        write(&hidden.path().join(SIGNATURE_FILE), signature.as_bytes())?;
    }
    Folder::open(hidden.path())?.sync()?;
    std::fs::rename(hidden.path(), folder).map_err(io("made", folder))?;
    Folder::open(parent)?.sync()?;
    Ok(manifest)
}

/// Where the signature of a lone component is.
fn beside(component: &Path) -> std::path::PathBuf {
    let mut name = component.as_os_str().to_owned();
    name.push(".minisig");
    name.into()
}

pub(crate) fn signature_beside(component: &Path) -> Result<Option<String>> {
    read_beside(&beside(component))
}

fn read_beside(path: &Path) -> Result<Option<String>> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Ok(None);
    };
    let parent = if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    };
    Folder::open(parent)?.text(name, SIGNATURE_SIZE)
}

/// A new hidden folder that is gone again unless it is renamed, and that others may read once it is.
pub(crate) fn hidden_in(parent: &Path, prefix: &str) -> Result<tempfile::TempDir> {
    use std::os::unix::fs::PermissionsExt;
    let everybody = std::fs::Permissions::from_mode(0o755);
    let hidden = tempfile::Builder::new()
        .prefix(prefix)
        .permissions(everybody.clone())
        .tempdir_in(parent);
    let hidden = hidden.map_err(io("written to", parent))?;
    // The mode at the making went through the umask.
    std::fs::set_permissions(hidden.path(), everybody).map_err(io("written to", parent))?;
    Ok(hidden)
}

/// A component on its way in: bounded, hashed, and looked at before it is whole.
pub(crate) struct Intake {
    file: std::fs::File,
    path: std::path::PathBuf,
    hasher: crate::digest::Hasher,
    size: u64,
    limit: u64,
    /// The length that was promised.
    expected: Option<u64>,
    head: Vec<u8>,
}

impl Intake {
    pub(crate) fn create(path: &Path, limit: u64, expected: Option<u64>) -> Result<Self> {
        if let Some(found) = expected.filter(|size| *size > limit) {
            return Err(DistributionError::TooLarge {
                what: "the component".into(),
                found,
                limit,
            });
        }
        let file = create(path)?;
        Ok(Intake {
            file,
            path: path.to_owned(),
            hasher: Default::default(),
            size: 0,
            limit,
            expected,
            head: Vec::new(),
        })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<()> {
        use std::io::Write;
        self.size += bytes.len() as u64;
        if self.expected.is_some_and(|expected| self.size > expected) {
            let reason = "more comes than its descriptor says".to_owned();
            return Err(DistributionError::Image {
                what: "the component's blob".into(),
                reason,
            });
        }
        if self.size > self.limit {
            let what = "the component".to_owned();
            return Err(DistributionError::TooLarge {
                what,
                found: self.size,
                limit: self.limit,
            });
        }
        let missing = 4_usize.saturating_sub(self.head.len());
        self.head.extend(bytes.iter().take(missing));
        self.hasher.update(bytes);
        self.file.write_all(bytes).map_err(io("written", &self.path))
    }

    pub(crate) fn take_all(&mut self, source: &mut impl std::io::Read, path: &Path) -> Result<()> {
        let mut piece = vec![0; 256 << 10];
        loop {
            let count = source.read(&mut piece).map_err(io("read", path))?;
            match piece.get(..count) {
                Some(read) if !read.is_empty() => self.take(read)?,
                _ => return Ok(()),
            }
        }
    }

    /// Makes the file durable; says what it is. `what` is what errors call it.
    pub(crate) fn finish(self, what: &str) -> Result<(Sha256Digest, u64)> {
        if self.head != *b"\0asm" {
            return Err(DistributionError::NotWasm(what.to_owned()));
        }
        self.file.sync_all().map_err(io("written", &self.path))?;
        Ok((self.hasher.finish(), self.size))
    }
}
