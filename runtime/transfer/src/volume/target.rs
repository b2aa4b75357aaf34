//! Writing a restored volume so that nothing half-made ever looks whole.
//!
//! A target that is not there yet is written beside its place, as `.<name>.cofferdam-partial`, sparse, and gets its
//! name when every byte was checked and synced; given up, it vanishes. A target that is there is written in place,
//! only when asked for, only when it is great enough, zeros included; its tail beyond the backup stays as it is.
//! Either is locked, so that two restores never mix. An NBD export is written in place, and cannot be locked.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use cofferdam_nbd::Access;
use rustix::fs::{CWD, OFlags, RenameFlags};
use rustix::io::Errno;

use super::medium::{self, Medium};
use super::source::size_of;
use crate::digest::is_zero;
use crate::error::TransferError;

/// Zeros are left out of a new file in units of this many bytes.
const UNIT: usize = 64 << 10;

/// A volume that is being written.
#[derive(Debug)]
pub(crate) struct Target {
    medium: Medium,
    path: PathBuf,
    /// Where a new file stands until it is finished.
    partial: Option<PathBuf>,
    skipped: u64,
}

impl Target {
    /// Opens the target of a backup of that many bytes; nothing of what is there is changed yet.
    ///
    /// # Errors
    /// `target-exists`, `target-too-small`, `target-busy`, `target-unusable`.
    pub(crate) fn open(path: &Path, overwrite: bool, bytes: u64) -> Result<Self, TransferError> {
        let unusable = |reason: String| TransferError::TargetUnusable {
            path: path.to_owned(),
            reason,
        };
        if let Some(url) = medium::url(path) {
            return Self::open_export(path, url, overwrite, bytes);
        }
        match std::fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path, bytes),
            Err(error) => Err(unusable(error.to_string())),
            Ok(_) => Self::open_existing(path, overwrite, bytes),
        }
    }

    fn open_export(path: &Path, url: &str, overwrite: bool, bytes: u64) -> Result<Self, TransferError> {
        if !overwrite {
            return Err(TransferError::TargetExists {
                path: path.to_owned(),
            });
        }
        let medium =
            Medium::export(url, Access::ReadWrite).map_err(|error| TransferError::TargetUnusable {
                path: path.to_owned(),
                reason: error.to_string(),
            })?;
        match &medium {
            Medium::Export(client) if client.size() < bytes => Err(TransferError::TargetTooSmall {
                path: path.to_owned(),
                size: client.size(),
                needed: bytes,
            }),
            _ => Ok(Target {
                medium,
                path: path.to_owned(),
                partial: None,
                skipped: 0,
            }),
        }
    }

    fn open_existing(path: &Path, overwrite: bool, bytes: u64) -> Result<Self, TransferError> {
        let unusable = |reason: String| TransferError::TargetUnusable {
            path: path.to_owned(),
            reason,
        };
        let usable = |kind: std::fs::FileType| {
            if kind.is_file() || kind.is_block_device() {
                return Ok(kind.is_block_device());
            }
            Err(unusable("it is neither a file nor a block device".into()))
        };
        let kind = std::fs::metadata(path)
            .map_err(|error| unusable(error.to_string()))?
            .file_type();
        let is_device = usable(kind)?;
        if !overwrite {
            return Err(TransferError::TargetExists {
                path: path.to_owned(),
            });
        }
        // O_NONBLOCK: should it have become a FIFO meanwhile. O_EXCL on a device: refused while it is mounted.
        let flags = OFlags::NONBLOCK | if is_device { OFlags::EXCL } else { OFlags::empty() };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(flags.bits().cast_signed())
            .open(path)
            .map_err(|error| unusable(error.to_string()))?;
        usable(
            file.metadata()
                .map_err(|error| unusable(error.to_string()))?
                .file_type(),
        )?;
        lock(&file, path)?;
        let size = size_of(&file).map_err(|error| unusable(error.to_string()))?;
        if size < bytes {
            return Err(TransferError::TargetTooSmall {
                path: path.to_owned(),
                size,
                needed: bytes,
            });
        }
        Ok(Target {
            medium: Medium::File(file),
            path: path.to_owned(),
            partial: None,
            skipped: 0,
        })
    }

    fn create(path: &Path, bytes: u64) -> Result<Self, TransferError> {
        let unusable = |reason: String| TransferError::TargetUnusable {
            path: path.to_owned(),
            reason,
        };
        let name = path
            .file_name()
            .ok_or_else(|| unusable("it has no file name".into()))?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(".cofferdam-partial");
        let partial = path.with_file_name(hidden);
        // One that a killed restore left behind is taken over, once its lock is ours.
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
            .open(&partial)
            .map_err(|error| unusable(error.to_string()))?;
        lock(&file, path)?;
        let ours = file.metadata().map_err(|error| unusable(error.to_string()))?;
        // Between opening and locking another restore may have finished it: then it has its name already.
        let there = std::fs::symlink_metadata(&partial);
        if !there.is_ok_and(|there| there.is_file() && there.ino() == ours.ino() && there.dev() == ours.dev())
        {
            return Err(TransferError::TargetBusy {
                path: path.to_owned(),
            });
        }
        let sized = file.set_len(0).and_then(|()| file.set_len(bytes));
        let target = Target {
            medium: Medium::File(file),
            path: path.to_owned(),
            partial: Some(partial),
            skipped: 0,
        };
        sized.map_err(|error| target.failed(error))?;
        Ok(target)
    }

    /// Writes at that byte. On a new file zeros are left out.
    pub(crate) fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), TransferError> {
        if self.partial.is_none() {
            return self
                .medium
                .write_all_at(data, offset)
                .map_err(|error| self.failed(error));
        }
        let mut at = offset;
        let mut rest = data;
        while !rest.is_empty() {
            // A run of units that are all zeros, or all not.
            let zero = is_zero(rest.get(..UNIT.min(rest.len())).unwrap_or_default());
            let run: usize = rest
                .chunks(UNIT)
                .take_while(|unit| is_zero(unit) == zero)
                .map(<[u8]>::len)
                .sum();
            let (run, after) = rest.split_at(run);
            if zero {
                self.skipped += run.len() as u64;
            } else {
                self.medium
                    .write_all_at(run, at)
                    .map_err(|error| self.failed(error))?;
            }
            at += run.len() as u64;
            rest = after;
        }
        Ok(())
    }

    /// Bytes of zeros that were not written.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Makes it durable and gives a new file its name. Only for a restore whose every byte was checked.
    pub(crate) fn finish(mut self) -> Result<(), TransferError> {
        self.medium.sync().map_err(|error| self.failed(error))?;
        let Some(partial) = &self.partial else {
            return Ok(());
        };
        let renamed = match rustix::fs::renameat_with(CWD, partial, CWD, &self.path, RenameFlags::NOREPLACE) {
            // A file system that cannot refuse to replace.
            Err(Errno::INVAL | Errno::NOSYS) if std::fs::symlink_metadata(&self.path).is_err() => {
                rustix::fs::rename(partial, &self.path)
            }
            other => other,
        };
        match renamed {
            Ok(()) => self.partial = None,
            Err(Errno::EXIST) => {
                return Err(TransferError::TargetExists {
                    path: self.path.clone(),
                });
            }
            Err(error) => return Err(self.failed(error.into())),
        }
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> TransferError {
        let path = self.path.clone();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => TransferError::TargetFull { path },
            _ => TransferError::TargetWrite {
                path,
                reason: error.to_string(),
            },
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(partial) = &self.partial
            && let Err(error) = std::fs::remove_file(partial)
        {
            tracing::warn!(path = %partial.display(), %error, "an unfinished restore could not be removed");
        }
    }
}

/// The lock goes with the file's descriptor, however the process ends.
fn lock(file: &File, path: &Path) -> Result<(), TransferError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(TransferError::TargetBusy {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        Err(TryLockError::Error(error)) => Err(TransferError::TargetUnusable {
            path: path.to_owned(),
            reason: format!("it cannot be locked: {error}"),
        }),
    }
}

#[cfg(test)]
mod tests;
