//! Files that somebody else may have laid, and files that must last.
//!
//! Problem: a package can hold a link to `/etc/shadow`, a pipe that never answers, or a file that is endless; and a folder can be
//! exchanged between two reads. Solution: a [`Folder`] is opened once and its files by name below that handle, without following
//! links and without waiting; only plain files are read, and only so many bytes. Writing syncs the file; the folder is synced by
//! whoever renames.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::error::{DistributionError, Result, io, os};

/// An open folder: a consistent view, whatever is renamed meanwhile.
#[derive(Debug)]
pub(crate) struct Folder {
    handle: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens a folder that the deployer named: a link to it is followed, as everywhere.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, OFlags::empty())
    }

    /// Opens a folder that must not be a link.
    pub(crate) fn open_real(path: &Path) -> Result<Self> {
        Self::open_with(path, OFlags::NOFOLLOW)
    }

    fn open_with(path: &Path, more: OFlags) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | more;
        let handle = rustix::fs::open(path, flags, Mode::empty()).map_err(os("opened", path))?;
        Ok(Self {
            handle,
            path: path.to_owned(),
        })
    }

    /// A folder in this one, which must not be a link.
    pub(crate) fn folder(&self, name: &str) -> Result<Self> {
        let path = self.path.join(name);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let handle =
            rustix::fs::openat(&self.handle, name, flags, Mode::empty()).map_err(os("opened", &path))?;
        Ok(Self { handle, path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A plain file in this folder, and its length; none when it is not there. `name` is one of ours, without `/`.
    pub(crate) fn file(&self, name: &str) -> Result<Option<(File, u64)>> {
        let path = self.path.join(name);
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        match rustix::fs::openat(&self.handle, name, flags, Mode::empty()) {
            Ok(handle) => plain(File::from(handle), &path).map(Some),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(rustix::io::Errno::LOOP) => Err(DistributionError::NotAFile {
                path,
                found: "a link",
            }),
            Err(error) => Err(os("opened", &path)(error)),
        }
    }

    /// A short text in this folder, of at most `limit` bytes; none when it is not there.
    pub(crate) fn text(&self, name: &str, limit: u64) -> Result<Option<String>> {
        let Some(bytes) = self.bytes(name, limit)? else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes).map_err(|error| {
            let error = std::io::Error::new(std::io::ErrorKind::InvalidData, error);
            io("read as UTF-8", &self.path.join(name))(error)
        })?;
        Ok(Some(text))
    }

    /// A short file in this folder, of at most `limit` bytes; none when it is not there.
    pub(crate) fn bytes(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let Some((file, size)) = self.file(name)? else {
            return Ok(None);
        };
        let path = self.path.join(name);
        let mut bytes = Vec::new();
        let count = file
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(io("read", &path))?;
        if count as u64 > limit {
            let what = path.display().to_string();
            return Err(DistributionError::TooLarge {
                what,
                found: size.max(limit + 1),
                limit,
            });
        }
        Ok(Some(bytes))
    }

    /// Makes durable what was made, renamed or removed in this folder.
    pub(crate) fn sync(&self) -> Result<()> {
        rustix::fs::fsync(&self.handle).map_err(os("synced", &self.path))
    }

    /// Whether this handle now holds the folder for itself; another holder's claim ends with its process.
    pub(crate) fn try_claim(&self) -> bool {
        rustix::fs::flock(&self.handle, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_ok()
    }

    /// Waits until this handle holds the folder for itself.
    pub(crate) fn claim(&self) -> Result<()> {
        loop {
            match rustix::fs::flock(&self.handle, rustix::fs::FlockOperation::LockExclusive) {
                Err(rustix::io::Errno::INTR) => {}
                done => return done.map_err(os("locked", &self.path)),
            }
        }
    }
}

/// A file that the deployer named; a link to it is followed.
pub(crate) fn open_named(path: &Path) -> Result<(File, u64)> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let handle = rustix::fs::open(path, flags, Mode::empty()).map_err(os("opened", path))?;
    plain(File::from(handle), path)
}

fn plain(file: File, path: &Path) -> Result<(File, u64)> {
    let about = file.metadata().map_err(io("examined", path))?;
    if about.is_file() {
        return Ok((file, about.len()));
    }
    let found = if about.is_dir() {
        "a folder"
    } else {
        "a pipe or a device"
    };
    Err(DistributionError::NotAFile {
        path: path.to_owned(),
        found,
    })
}

/// A new file that everybody may read, open for writing.
pub(crate) fn create(path: &Path) -> Result<File> {
    let file = File::create_new(path).map_err(io("created", path))?;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
        .map_err(io("created", path))?;
    Ok(file)
}

/// Writes a whole new file and makes its bytes durable.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = create(path)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(io("written", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_pipes_and_folders_are_no_files_and_nobody_waits_for_them() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("secret"), "s").unwrap();
        std::os::unix::fs::symlink(temp.path().join("secret"), temp.path().join("link")).unwrap();
        std::fs::create_dir(temp.path().join("folder")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            temp.path().join("pipe"),
            rustix::fs::FileType::Fifo,
            Mode::RUSR,
            0,
        )
        .unwrap();
        let folder = Folder::open(temp.path()).unwrap();
        for (name, found) in [("link", "a link"), ("folder", "a folder"), ("pipe", "a pipe")] {
            let error = folder.text(name, 10).unwrap_err().to_string();
            assert!(error.contains(found), "{error}");
        }
        assert!(folder.text("nothing", 10).unwrap().is_none());
        std::os::unix::fs::symlink(temp.path().join("folder"), temp.path().join("aside")).unwrap();
        assert!(folder.folder("aside").is_err());
    }

    #[test]
    fn a_text_is_read_up_to_its_limit_and_no_further() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("text"), "12345").unwrap();
        let folder = Folder::open(temp.path()).unwrap();
        assert_eq!(folder.text("text", 5).unwrap().unwrap(), "12345");
        assert!(
            folder
                .text("text", 4)
                .unwrap_err()
                .to_string()
                .contains("at most 4")
        );
    }
}
