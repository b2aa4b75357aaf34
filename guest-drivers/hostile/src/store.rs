//! Enough of an object store for a driver whose fault lies elsewhere: in the folder that the option
//! `hostile_path` names, or else in the memory of the instance.

mod disk;
mod memory;

use std::borrow::Cow;
use std::path::Path;

use cofferdam_driver::wasip2::io::streams::StreamError;
use cofferdam_driver::{
    ByteRange, Error, InputStream, ObjectAddress, ObjectInfo, OutputStream, Page, Settings,
};

use crate::options;

pub use disk::Disk;
pub use memory::Memory;

/// Most that WASI takes in one blocking write.
const PIECE: usize = 4096;

/// Containers, each with its objects.
#[derive(Debug)]
pub enum Store {
    /// Gone with the instance.
    Memory(Memory),
    /// Kept in a granted directory.
    Disk(Disk),
}

impl Store {
    /// On disk when the settings name a directory. Touches nothing.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        Ok(match settings.text(options::PATH)? {
            Some(folder) => Self::Disk(Disk::new(folder)),
            None => Self::Memory(Memory::default()),
        })
    }

    /// The granted directory.
    pub fn folder(&self) -> Result<&Path, Error> {
        match self {
            Self::Memory(_) => Err(not_on_disk()),
            Self::Disk(disk) => Ok(disk.root()),
        }
    }

    /// Counts on, from 1, in a file of the granted directory: over all instances that are given the same one.
    pub fn count_on(&mut self) -> Result<u64, Error> {
        match self {
            Self::Memory(_) => Err(not_on_disk()),
            Self::Disk(disk) => disk.count_on(),
        }
    }

    /// Makes the container if it is missing.
    pub fn create_container(&mut self, container: &str) -> Result<(), Error> {
        match self {
            Self::Memory(memory) => {
                memory.create_container(container);
                Ok(())
            }
            Self::Disk(disk) => disk.create_container(container),
        }
    }

    /// Removes the container and all that is in it, if it is there.
    pub fn remove_container(&mut self, container: &str) -> Result<(), Error> {
        match self {
            Self::Memory(memory) => {
                memory.remove_container(container);
                Ok(())
            }
            Self::Disk(disk) => disk.remove_container(container),
        }
    }

    /// Makes or replaces the object.
    pub fn put(&mut self, at: &ObjectAddress, bytes: Vec<u8>) -> Result<(), Error> {
        match self {
            Self::Memory(memory) => memory.put(at, bytes),
            Self::Disk(disk) => disk.put(at, &bytes),
        }
    }

    /// The object's bytes, or those of the range that are there.
    pub fn get(&self, at: &ObjectAddress, range: Option<ByteRange>) -> Result<Cow<'_, [u8]>, Error> {
        match self {
            Self::Memory(memory) => memory.get(at, range).map(Cow::Borrowed),
            Self::Disk(disk) => disk.get(at, range).map(Cow::Owned),
        }
    }

    /// The object's name and size.
    pub fn stat(&self, at: &ObjectAddress) -> Result<ObjectInfo, Error> {
        let size = match self {
            Self::Memory(memory) => memory.get(at, None)?.len() as u64,
            Self::Disk(disk) => disk.size(at)?,
        };
        Ok(ObjectInfo {
            name: at.name.clone(),
            size,
        })
    }

    /// Deletes the object if it is there.
    pub fn delete(&mut self, at: &ObjectAddress) -> Result<(), Error> {
        match self {
            Self::Memory(memory) => {
                memory.delete(at);
                Ok(())
            }
            Self::Disk(disk) => disk.delete(at),
        }
    }

    /// One page of the container's objects.
    pub fn list(
        &self,
        container: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page, Error> {
        match self {
            Self::Memory(memory) => memory.list(container, prefix, after, limit),
            Self::Disk(disk) => disk.list(container, prefix, after, limit),
        }
    }
}

fn not_on_disk() -> Error {
    Error::invalid_configuration(options::PATH, "is not set")
}

fn no_container(container: &str) -> Error {
    Error::not_found(format!("no container {container}"))
}

/// Reads a body to its end.
pub fn read_all(body: &InputStream) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    loop {
        match body.blocking_read(64 * 1024) {
            Ok(piece) => bytes.extend(piece),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(Error::failed(error.to_debug_string()));
            }
        }
    }
}

/// Reads what there is of a body at first, at most 4 KiB.
pub fn read_piece(body: &InputStream) -> Result<Vec<u8>, Error> {
    body.blocking_read(PIECE as u64)
        .map_err(|error| Error::failed(format!("the body: {error:?}")))
}

/// Writes all bytes to a sink; says how many.
pub fn write_all(sink: &OutputStream, bytes: &[u8]) -> Result<u64, Error> {
    for piece in bytes.chunks(PIECE) {
        sink.blocking_write_and_flush(piece)
            .map_err(|error| Error::failed(format!("the sink: {error:?}")))?;
    }
    Ok(bytes.len() as u64)
}
