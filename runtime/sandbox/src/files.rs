//! A file in a granted directory as a stream that a guest reads, or has read by the host.
//!
//! wasmtime-wasi gives 64 KiB of fresh, zeroed memory at a time, which made a get a fifth slower than the same steps natively. This one
//! fills greater pieces, and uses their memory again. As there, files are read by the instance's own thread. Bound: [`PIECE`] bytes a read; of
//! the buffers that nobody uses, those that `slabs` keeps for all instances together (8 MiB). Cost: one `pread` for each.

use std::fs::File;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use rustix::io::Errno;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wasmtime_wasi::p2::{DynInputStream, InputStream, Pollable, StreamError, StreamResult};

use crate::slabs::Slabs;

/// Bytes that one read gives at most.
const PIECE: usize = 512 << 10;

/// `descriptor.read-via-stream` of `wasi:filesystem/types`: the bytes of a file from `offset` on.
///
/// # Errors
/// The inner one is the guest's to handle: it is a directory. The outer one is a trap: there is no such descriptor, or no room for another
/// resource.
pub(crate) fn open(
    table: &mut ResourceTable,
    descriptor: &Resource<Descriptor>,
    offset: u64,
    slabs: &Slabs,
) -> wasmtime::Result<Result<Resource<DynInputStream>, ErrorCode>> {
    let stored = match table.get(descriptor)? {
        Descriptor::File(file) => Stored {
            file: file.file.clone(),
            at: offset,
            slabs: slabs.clone(),
            over: false,
        },
        Descriptor::Dir(_) => return Ok(Err(ErrorCode::IsDirectory)),
    };
    let stream: DynInputStream = Box::new(stored);
    Ok(Ok(table.push(stream)?))
}

/// The rest of a file.
struct Stored {
    file: Arc<File>,
    at: u64,
    slabs: Slabs,
    /// It has ended, or a read has failed.
    over: bool,
}

#[async_trait::async_trait]
impl Pollable for Stored {
    /// At once: a file has its bytes, or its end.
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl InputStream for Stored {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size == 0 {
            return Ok(Bytes::new());
        }
        if self.over {
            return Err(StreamError::Closed);
        }
        let mut piece = self.slabs.take(size.min(PIECE));
        let read = loop {
            match rustix::io::pread(&self.file, &mut *piece, self.at) {
                Err(Errno::INTR) => {}
                read => break read,
            }
        };
        match read {
            Ok(0) => {
                self.over = true;
                Err(StreamError::Closed)
            }
            Ok(read) => {
                self.at += read as u64;
                Ok(piece.freeze().slice(..read))
            }
            Err(error) => {
                self.over = true;
                Err(StreamError::LastOperationFailed(wasmtime::Error::new(
                    io::Error::from(error),
                )))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;

    use super::*;

    fn stored(bytes: &[u8], at: u64) -> (Stored, File) {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(bytes, 0).unwrap();
        let stored = Stored {
            file: Arc::new(file.try_clone().unwrap()),
            at,
            slabs: Slabs::default(),
            over: false,
        };
        (stored, file)
    }

    #[test]
    fn a_file_is_read_from_an_offset_to_its_end_and_an_end_is_final() {
        let bytes: Vec<u8> = (0..2 * PIECE + 77).map(|at| (at % 251) as u8).collect();
        for at in [0, 1, PIECE, bytes.len() - 1, bytes.len(), bytes.len() + 9] {
            let (mut stored, file) = stored(&bytes, at as u64);
            let mut read = Vec::new();
            assert!(stored.read(0).unwrap().is_empty());
            loop {
                match stored.read(usize::MAX) {
                    Ok(piece) => {
                        assert!((1..=PIECE).contains(&piece.len()));
                        read.extend_from_slice(&piece);
                    }
                    Err(StreamError::Closed) => break,
                    Err(error) => panic!("{error}"),
                }
            }
            assert!(read == bytes.get(at..).unwrap_or_default(), "from {at}");
            file.write_all_at(b"more", bytes.len() as u64 + 9).unwrap();
            assert!(matches!(stored.read(10), Err(StreamError::Closed)));
        }
    }

    #[test]
    fn a_piece_that_is_kept_is_not_written_to_again() {
        let (mut stored, _) = stored(&[[1; 10], [2; 10]].concat(), 0);
        let first = stored.read(10).unwrap();
        let second = stored.read(10).unwrap();
        assert_eq!((first.as_ref(), second.as_ref()), (&[1; 10][..], &[2; 10][..]));
    }

    #[test]
    fn a_read_that_fails_is_told_once_and_ends_the_stream() {
        let folder = tempfile::tempdir().unwrap();
        let (mut stored, _) = stored(b"", 0);
        stored.file = Arc::new(File::open(folder.path()).unwrap());
        assert!(matches!(
            stored.read(10),
            Err(StreamError::LastOperationFailed(_))
        ));
        assert!(matches!(stored.read(10), Err(StreamError::Closed)));
    }
}
