//! The files of volumes and snapshots: made, copied, extended and removed so that none is ever half there under its name.
//!
//! A new file is written beside its place, as `.<name>.cofferdam-partial`, synced, and given its name; its folder is synced
//! after every change of names. A copy shares the source's blocks where the file system can (reflink); else only what is data
//! is copied, holes stay holes. All of it blocks: call it on a thread for that.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, SeekFrom};

use crate::error::ManagerError;

/// Bytes that are copied at once.
const PIECE: usize = 1 << 20;

/// A file of so many zeros, all of them a hole.
///
/// # Errors
/// When there is one already, or the folder cannot hold it.
pub(crate) fn make(path: &Path, bytes: u64) -> Result<(), ManagerError> {
    let made = fresh(path, |file| file.set_len(bytes));
    made.map_err(|error| broken(path, "cannot be made", &error))
}

/// A new file with what another holds, of at least so many bytes.
///
/// # Errors
/// When the source is being written to or cannot be read, or the folder cannot hold the copy.
pub(crate) fn copy(from: &Path, to: &Path, bytes: u64) -> Result<(), ManagerError> {
    let source = File::open(from).map_err(|error| broken(from, "cannot be read", &error))?;
    // Whoever restores onto it holds it alone.
    rustix::fs::flock(&source, FlockOperation::NonBlockingLockShared)
        .map_err(|error| broken(from, "is being written to", &error.into()))?;
    let made = fresh(to, |file| {
        if rustix::fs::ioctl_ficlone(file, &source).is_err() {
            copy_data(&source, file)?;
        }
        let has = file.metadata()?.len();
        file.set_len(has.max(bytes))
    });
    made.map_err(|error| broken(to, "cannot be made", &error))
}

/// Makes a file greater; what is new reads as zeros.
///
/// # Errors
/// When the file system refuses.
pub(crate) fn extend(path: &Path, bytes: u64) -> Result<(), ManagerError> {
    let extended = OpenOptions::new().write(true).open(path).and_then(|file| {
        if file.metadata()?.len() < bytes {
            file.set_len(bytes)?;
        }
        file.sync_all()
    });
    extended.map_err(|error| broken(path, "cannot be made greater", &error))
}

/// Removes a file, and what was left of one that was never finished. That it is not there is no failure.
///
/// # Errors
/// When the file system refuses.
pub(crate) fn remove(path: &Path) -> Result<(), ManagerError> {
    let removed = gone(&partial(path))
        .and_then(|()| gone(path))
        .and_then(|()| sync_folder(path));
    removed.map_err(|error| broken(path, "cannot be removed", &error))
}

/// Bytes that a folder's file system has room for.
pub(crate) fn room(folder: &Path) -> u64 {
    rustix::fs::statvfs(folder).map_or(0, |stat| stat.f_bavail.saturating_mul(stat.f_frsize))
}

fn broken(path: &Path, what: &str, error: &Error) -> ManagerError {
    ManagerError::Volume {
        message: format!("{} {what}: {error}", path.display()),
        remedy: "look at the file system that holds it".into(),
    }
}

fn partial(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.cofferdam-partial"))
}

fn fresh(path: &Path, fill: impl FnOnce(&File) -> std::io::Result<()>) -> std::io::Result<()> {
    if path.try_exists()? {
        return Err(Error::new(
            ErrorKind::AlreadyExists,
            "there is a file of that name",
        ));
    }
    let beside = partial(path);
    gone(&beside)?;
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o660)
        .open(&beside)?;
    let filled = fill(&file).and_then(|()| file.sync_all());
    if let Err(error) = filled.and_then(|()| std::fs::rename(&beside, path)) {
        let _ = gone(&beside);
        return Err(error);
    }
    sync_folder(path)
}

fn gone(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}

/// Copies what is data; a source that knows no holes is all data.
fn copy_data(from: &File, to: &File) -> std::io::Result<()> {
    let end = from.metadata()?.len();
    to.set_len(end)?;
    let mut piece = vec![0; PIECE];
    let mut at = 0;
    while at < end {
        let data = match rustix::fs::seek(from, SeekFrom::Data(at)) {
            Ok(data) => data,
            Err(rustix::io::Errno::NXIO) => break,
            Err(_) => at,
        };
        let hole = rustix::fs::seek(from, SeekFrom::Hole(data))
            .unwrap_or(end)
            .min(end);
        at = data;
        while at < hole {
            let wanted = usize::try_from(hole - at).unwrap_or(PIECE).min(PIECE);
            let buffer = piece.get_mut(..wanted).unwrap_or_default();
            from.read_exact_at(buffer, at)?;
            to.write_all_at(buffer, at)?;
            at += wanted as u64;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_copy_has_the_same_bytes_and_the_same_holes() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        let file = File::create(&from).unwrap();
        file.set_len(64 << 20).unwrap();
        file.write_all_at(b"begin", 0).unwrap();
        file.write_all_at(b"middle", 33 << 20).unwrap();
        copy(&from, &to, 65 << 20).unwrap();
        let (a, b) = (std::fs::read(&from).unwrap(), std::fs::read(&to).unwrap());
        assert_eq!(b.len(), 65 << 20);
        assert!(a[..] == b[..a.len()] && b[a.len()..].iter().all(|byte| *byte == 0));
        assert!(std::fs::metadata(&to).unwrap().blocks() * 512 < 4 << 20);
    }

    #[test]
    fn a_source_that_is_being_written_to_is_not_copied() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        make(&from, 4096).unwrap();
        let held = File::open(&from).unwrap();
        rustix::fs::flock(&held, FlockOperation::NonBlockingLockExclusive).unwrap();
        assert!(
            copy(&from, &to, 0)
                .unwrap_err()
                .to_string()
                .contains("written to")
        );
        assert!(!to.exists());
        drop(held);
        copy(&from, &to, 0).unwrap();
    }

    #[test]
    fn nothing_is_overwritten_and_what_is_removed_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        make(&path, 4096).unwrap();
        assert!(make(&path, 1).is_err());
        std::fs::write(partial(&path), b"left by a killed process").unwrap();
        extend(&path, 8192).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 8192);
        extend(&path, 1).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 8192, "never smaller");
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
