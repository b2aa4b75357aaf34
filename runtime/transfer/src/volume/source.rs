//! Reading a volume that must not change meanwhile.
//!
//! Opened read-only; holes are found by SEEK_DATA and SEEK_HOLE where the file system knows them, and are then not read.
//! A volume that ends before its size is an error of its own, never a short backup. Whether a file was written to shows
//! in its inode, size and times ([`Identity`]); a device shows nothing, but one that is mounted cannot be opened for oneself
//! alone. Nor does an NBD export; its server is asked for holes. Reads may come from several threads.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use cofferdam_nbd::{Access, Client};
use cofferdam_sandbox::slabs::Slabs;
use rustix::fs::{Advice, OFlags, SeekFrom};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::medium::{self, Medium};
use crate::error::TransferError;

/// A volume to be read.
#[derive(Debug)]
pub struct Source {
    medium: Medium,
    path: PathBuf,
    size: u64,
    /// Of a file, as it was opened.
    identity: Option<Identity>,
    slabs: Slabs,
}

/// What changes whenever a file is written to: two that are the same were taken of the same bytes, if the first was
/// [settled](Identity::settled). Not seen: what a program writes through a memory map of which it said nothing to the
/// kernel yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// How long two writes may be apart and yet leave the same time: a tick of the kernel's clock; and where the file system
/// knows whole seconds only.
const TICK: Duration = Duration::from_millis(20);
const WHOLE_SECONDS: Duration = Duration::from_secs(2);

impl Identity {
    fn of(metadata: &Metadata) -> Option<Self> {
        metadata.is_file().then(|| Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }

    /// How long to wait before another write must leave other times than these.
    pub(crate) fn settles_in(&self, now: SystemTime) -> Duration {
        let (seconds, nanoseconds) = self.changed;
        let span = if nanoseconds == 0 && self.modified.1 == 0 {
            WHOLE_SECONDS
        } else {
            TICK
        };
        let at = Duration::new(
            u64::try_from(seconds).unwrap_or(0),
            u32::try_from(nanoseconds).unwrap_or(0),
        );
        let since = now.duration_since(UNIX_EPOCH + at).unwrap_or_default();
        span.saturating_sub(since)
    }
}

/// What is at a place of a volume, up to the given byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Data(u64),
    Hole(u64),
}

impl Extent {
    pub(crate) fn end(self) -> u64 {
        match self {
            Extent::Data(end) | Extent::Hole(end) => end,
        }
    }
}

impl Source {
    /// Opens a raw file, a block device or an NBD export (see [`is_volume`](crate::is_volume)) for reading and takes its size.
    ///
    /// # Errors
    /// `source-unusable` when it cannot be opened, or is none of these.
    pub fn open(path: &Path) -> Result<Self, TransferError> {
        let unusable = |reason: String| TransferError::SourceUnusable {
            path: path.to_owned(),
            reason,
        };
        if let Some(url) = medium::url(path) {
            let medium =
                Medium::export(url, Access::ReadOnly).map_err(|error| unusable(error.to_string()))?;
            return Ok(Source {
                size: match &medium {
                    Medium::Export(client) => client.size(),
                    Medium::File(_) => 0,
                },
                medium,
                path: path.to_owned(),
                identity: None,
                slabs: Slabs::default(),
            });
        }
        // O_NONBLOCK: opening a FIFO must not wait for its writer.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(path)
            .map_err(|error| unusable(error.to_string()))?;
        let metadata = file.metadata().map_err(|error| unusable(error.to_string()))?;
        let kind = metadata.file_type();
        if !kind.is_file() && !kind.is_block_device() {
            return Err(unusable("it is neither a file nor a block device".into()));
        }
        let size = size_of(&file).map_err(|error| unusable(error.to_string()))?;
        // Only a hint.
        let _ = rustix::fs::fadvise(&file, 0, None, Advice::Sequential);
        Ok(Source {
            medium: Medium::File(file),
            path: path.to_owned(),
            size,
            identity: Identity::of(&metadata),
            slabs: Slabs::default(),
        })
    }

    fn size_now(&self) -> io::Result<u64> {
        match &self.medium {
            Medium::File(file) => size_of(file),
            // Its size is fixed as long as one is connected.
            Medium::Export(client) => Ok(client.size()),
        }
    }

    /// What the file was when it was opened; `None` of a device or an export.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Refuses a device that is in use: mounted, or part of something greater. A file cannot be asked so.
    ///
    /// # Errors
    /// `volume-in-use`.
    pub fn check_unused(&self) -> Result<(), TransferError> {
        if self.identity.is_some() || matches!(self.medium, Medium::Export(_)) {
            return Ok(());
        }
        let flags = (OFlags::NONBLOCK | OFlags::EXCL).bits().cast_signed();
        let alone = OpenOptions::new().read(true).custom_flags(flags).open(&self.path);
        match alone {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => Err(TransferError::VolumeInUse {
                path: self.path.clone(),
            }),
            // Whatever else it is shows when it is read.
            _ => Ok(()),
        }
    }

    /// Bytes that it had when it was opened.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Fills the whole buffer from that byte on.
    pub(crate) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), TransferError> {
        match self.medium.read_exact_at(buffer, offset) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                let found = self.size_now().unwrap_or(0);
                Err(TransferError::VolumeShrank {
                    path: self.path.clone(),
                    expected: self.size,
                    found,
                })
            }
            Err(error) => Err(TransferError::SourceRead {
                path: self.path.clone(),
                offset,
                reason: error.to_string(),
            }),
        }
    }

    /// So many bytes from there, in memory that is used again.
    pub(crate) fn read(&self, offset: u64, length: u64) -> Result<Bytes, TransferError> {
        let mut slab = self.slabs.take(usize::try_from(length).unwrap_or(0));
        self.read_at(offset, &mut slab)?;
        Ok(slab.freeze())
    }

    /// Whether data or a hole begins at that byte, and where it ends.
    pub(crate) fn extent(&self, offset: u64) -> Extent {
        let all = Extent::Data(self.size);
        let file = match &self.medium {
            Medium::File(file) => file,
            Medium::Export(client) => return exported(client, offset, self.size),
        };
        match rustix::fs::seek(file, SeekFrom::Data(offset)) {
            Ok(data) if data > offset => Extent::Hole(data.min(self.size)),
            Ok(_) => match rustix::fs::seek(file, SeekFrom::Hole(offset)) {
                Ok(hole) if hole > offset => Extent::Data(hole.min(self.size)),
                _ => all,
            },
            // No data up to the end, or an end that is nearer now: a volume that shrank is read, so that it shows.
            Err(Errno::NXIO) if size_of(file).is_ok_and(|size| size >= self.size) => Extent::Hole(self.size),
            Err(_) => all,
        }
    }

    /// Whether nobody wrote to it since it was opened, as far as that can be known.
    pub(crate) fn check_unchanged(&self) -> Result<(), TransferError> {
        self.check_size()?;
        let now = match &self.medium {
            Medium::File(file) => file.metadata().ok().as_ref().and_then(Identity::of),
            Medium::Export(_) => None,
        };
        if now == self.identity {
            return Ok(());
        }
        Err(TransferError::VolumeChanged {
            path: self.path.clone(),
            reason: "somebody wrote to it, so what was read is not its state at one moment".into(),
        })
    }

    /// Whether it still has the size that it had.
    pub(crate) fn check_size(&self) -> Result<(), TransferError> {
        let path = self.path.clone();
        let found = self.size_now().map_err(|error| TransferError::SourceRead {
            path: path.clone(),
            offset: self.size,
            reason: error.to_string(),
        })?;
        match found.cmp(&self.size) {
            std::cmp::Ordering::Less => Err(TransferError::VolumeShrank {
                path,
                expected: self.size,
                found,
            }),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(TransferError::VolumeChanged {
                path,
                reason: format!("it grew from {} to {found} bytes", self.size),
            }),
        }
    }
}

/// Bytes for which an export is asked first, and once they are all the same.
const FIRST_LOOK: u64 = 8 << 20;
const LONG_LOOK: u64 = 1 << 30;

/// What an export's server says of that place. Only what it says reads as zeros is left out; what it does not say is data.
fn exported(client: &Client, offset: u64, size: u64) -> Extent {
    let (mut end, mut look, mut zero) = (offset, FIRST_LOOK, None);
    let of = |zero, end| match zero {
        Some(true) => Extent::Hole(end),
        Some(false) => Extent::Data(end),
        None => Extent::Data(size),
    };
    while end < size {
        let Ok(runs) = client.extents(end, look.min(size - end)) else {
            break;
        };
        for run in runs {
            if *zero.get_or_insert(run.zero) != run.zero {
                return of(zero, end);
            }
            end += run.length;
        }
        look = LONG_LOOK;
    }
    of(zero, end)
}

/// Bytes of an open file or block device.
pub(super) fn size_of(file: &File) -> io::Result<u64> {
    let metadata = file.metadata()?;
    if metadata.file_type().is_block_device() {
        Ok(rustix::fs::seek(file, SeekFrom::End(0))?)
    } else {
        Ok(metadata.len())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn holes_are_found_and_data_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("volume");
        let file = File::create(&path).unwrap();
        file.set_len(4 << 20).unwrap();
        file.write_all_at(b"data", 1 << 20).unwrap();
        let source = Source::open(&path).unwrap();
        assert_eq!(source.size(), 4 << 20);
        assert_eq!(source.extent(0), Extent::Hole(1 << 20));
        assert!(matches!(source.extent(1 << 20), Extent::Data(end) if end < 2 << 20));
        assert_eq!(source.extent(3 << 20), Extent::Hole(4 << 20));
        let mut bytes = [0; 4];
        source.read_at(1 << 20, &mut bytes).unwrap();
        assert_eq!(&bytes, b"data");
        source.check_size().unwrap();
        file.set_len(5 << 20).unwrap();
        assert_eq!(source.check_size().unwrap_err().code(), "volume-changed");
        file.set_len(1 << 20).unwrap();
        assert_eq!(source.check_size().unwrap_err().code(), "volume-shrank");
        assert_eq!(
            source.read_at(1 << 20, &mut bytes).unwrap_err().code(),
            "volume-shrank"
        );
        assert_eq!(
            source.extent(2 << 20),
            Extent::Data(4 << 20),
            "a tail that is gone must not pass for a hole"
        );
    }

    #[test]
    fn a_write_shows_though_the_size_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("volume");
        std::fs::write(&path, b"before").unwrap();
        let source = Source::open(&path).unwrap();
        let identity = source.identity().unwrap();
        assert!(identity.settles_in(SystemTime::now()) > Duration::ZERO);
        std::thread::sleep(identity.settles_in(SystemTime::now()));
        source.check_unchanged().unwrap();
        assert_eq!(Source::open(&path).unwrap().identity(), source.identity());
        std::fs::write(&path, b"behind").unwrap();
        assert_eq!(source.check_unchanged().unwrap_err().code(), "volume-changed");
        source.check_size().unwrap();
    }

    #[test]
    fn what_is_no_volume_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            0o600.into(),
            0,
        )
        .unwrap();
        for path in [
            folder.path(),
            &fifo,
            &folder.path().join("missing"),
            Path::new("/dev/null"),
        ] {
            assert_eq!(
                Source::open(path).unwrap_err().code(),
                "source-unusable",
                "{}",
                path.display()
            );
        }
    }
}
