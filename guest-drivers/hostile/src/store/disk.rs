//! Objects as files in a granted directory, by nothing but `std::fs`: enough for honest backups, so that a
//! test of a whole service meets the one fault of its guest and no other.
//!
//! A container is a folder, an object a file below it; a name's `/` makes folders. An object is written under
//! a hidden name, synced and renamed. Bound: one object, or the names of one container, in memory. What a
//! power cut does to the folders is not looked after.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use cofferdam_driver::{ByteRange, Error, ObjectAddress, ObjectInfo, Page, names};

use super::no_container;

/// A file in the granted directory itself, where no object is.
const COUNT: &str = "count";

/// The granted directory with its containers.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
}

impl Disk {
    pub(super) fn new(root: &str) -> Self {
        Self { root: root.into() }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn count_on(&self) -> Result<u64, Error> {
        let file = self.root.join(COUNT);
        let before = match fs::read_to_string(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
            other => other.and_then(|text| text.parse::<u64>().map_err(io::Error::other)),
        };
        before
            .and_then(|before| fs::write(&file, (before + 1).to_string()).map(|()| before + 1))
            .map_err(|error| refused("count in", COUNT, &error))
    }

    pub(super) fn create_container(&self, container: &str) -> Result<(), Error> {
        let folder = self.folder(container)?;
        fs::create_dir_all(folder).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::unavailable(format!("{} is missing", self.root.display())),
            _ => refused("make", container, &error),
        })
    }

    pub(super) fn remove_container(&self, container: &str) -> Result<(), Error> {
        let removed = fs::remove_dir_all(self.folder(container)?);
        unless_gone(removed).map_err(|error| refused("remove", container, &error))
    }

    pub(super) fn put(&self, at: &ObjectAddress, bytes: &[u8]) -> Result<(), Error> {
        let file = self.file(at)?;
        if !self.folder(&at.container)?.is_dir() {
            return Err(no_container(&at.container));
        }
        write_and_rename(&file, bytes).map_err(|error| refused("put", &at.name, &error))
    }

    pub(super) fn get(&self, at: &ObjectAddress, range: Option<ByteRange>) -> Result<Vec<u8>, Error> {
        let file = self.file(at)?;
        read(&file, range).map_err(|error| refused("get", &at.name, &error))
    }

    pub(super) fn size(&self, at: &ObjectAddress) -> Result<u64, Error> {
        let found = fs::metadata(self.file(at)?).map_err(|error| refused("look at", &at.name, &error))?;
        if found.is_file() {
            Ok(found.len())
        } else {
            Err(Error::not_found(format!("{} is a folder", at.name)))
        }
    }

    pub(super) fn delete(&self, at: &ObjectAddress) -> Result<(), Error> {
        let removed = fs::remove_file(self.file(at)?);
        unless_gone(removed).map_err(|error| refused("delete", &at.name, &error))
    }

    pub(super) fn list(
        &self,
        container: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page, Error> {
        let folder = self.folder(container)?;
        if !folder.is_dir() {
            return Err(no_container(container));
        }
        // WASI looks at each entry while it reads a folder, and one that vanishes then ends the reading.
        let mut objects = Vec::new();
        for last in (0..READINGS).rev() {
            objects.clear();
            match collect(&folder, "", &mut objects) {
                Err(error) if error.kind() == ErrorKind::NotFound && last > 0 => {}
                read => {
                    read.map_err(|error| refused("list", container, &error))?;
                    break;
                }
            }
        }
        objects.retain(|object| {
            object.name.starts_with(prefix) && after.is_none_or(|after| object.name.as_str() > after)
        });
        objects.sort_by(|one, other| one.name.cmp(&other.name));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = objects.len() > limit;
        objects.truncate(limit);
        Ok(Page { objects, more })
    }

    fn folder(&self, container: &str) -> Result<PathBuf, Error> {
        names::check_path(container)?;
        Ok(self.root.join(container))
    }

    fn file(&self, at: &ObjectAddress) -> Result<PathBuf, Error> {
        names::check_path(&at.name)?;
        Ok(self.folder(&at.container)?.join(&at.name))
    }
}

/// How often a folder is read in which others work.
const READINGS: usize = 1000;

fn write_and_rename(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let part = file.with_file_name(names::part(name));
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let written = File::create(&part).and_then(|mut sink| {
        sink.write_all(bytes)?;
        sink.sync_all()
    });
    let named = written.and_then(|()| fs::rename(&part, file));
    if named.is_err() {
        // The first failure is the one that tells.
        let _ = fs::remove_file(&part);
    }
    named
}

fn read(file: &Path, range: Option<ByteRange>) -> io::Result<Vec<u8>> {
    let mut source = File::open(file)?;
    let size = source.metadata()?.len();
    let (offset, length) = range.map_or((0, None), |range| (range.offset, range.length));
    source.seek(SeekFrom::Start(offset.min(size)))?;
    let mut bytes = Vec::new();
    source.take(length.unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Adds the objects of a folder and of those below it; `before` is the way there from the container.
fn collect(folder: &Path, before: &str, objects: &mut Vec<ObjectInfo>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let own = entry.file_name().into_string();
        let own = own.map_err(|_| io::Error::other("a name that is not UTF-8"))?;
        let name = format!("{before}{own}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(&entry.path(), &format!("{name}/"), objects)?;
        } else if kind.is_file() && !names::is_reserved(&own) {
            match entry.metadata() {
                Ok(found) => objects.push(ObjectInfo {
                    name,
                    size: found.len(),
                }),
                // Deleted meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

fn unless_gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn refused(what: &str, name: &str, error: &io::Error) -> Error {
    let text = format!("cannot {what} {name}: {error}");
    match error.kind() {
        ErrorKind::NotFound => Error::not_found(text),
        ErrorKind::PermissionDenied => Error::unauthorized(text),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::out_of_space(text),
        _ => Error::failed(text),
    }
}
