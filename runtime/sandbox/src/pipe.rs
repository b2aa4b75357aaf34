//! Bytes from a WASI input-stream to an output-stream inside the host, for `pipe` and `pipe-digested`.
//!
//! An HTTP body may close as soon as its announced length went through. That is no error: what counts is whether the bytes
//! were taken. Bound: one piece of [`PIECE`] bytes. Cost: one crossing for a whole object; digests on the instance's thread.

use md5::{Digest, Md5};
use sha2::Sha256;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, StreamError};

use crate::contract::host::PipeError;
use crate::contract::{BodyInfo, BodyNeeds};
use crate::failure::clean;
use crate::limits::TEXT;

/// Bytes that one step moves.
const PIECE: usize = 1 << 20;

/// Digests of what goes through, as far as they are wanted.
#[derive(Default)]
struct Digests {
    md5: Option<Md5>,
    sha256: Option<Sha256>,
    crc32c: Option<u32>,
}

impl Digests {
    fn wanted(needs: BodyNeeds) -> Self {
        Digests {
            md5: needs.contains(BodyNeeds::MD5).then(Md5::new),
            sha256: needs.contains(BodyNeeds::SHA256).then(Sha256::new),
            crc32c: needs.contains(BodyNeeds::CRC32C).then_some(0),
        }
    }

    fn update(&mut self, piece: &[u8]) {
        if let Some(md5) = &mut self.md5 {
            md5.update(piece);
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(piece);
        }
        if let Some(crc32c) = &mut self.crc32c {
            *crc32c = crc32c::crc32c_append(*crc32c, piece);
        }
    }

    fn info(self, size: u64) -> BodyInfo {
        BodyInfo {
            size: Some(size),
            md5: self.md5.map(|md5| hex::encode(md5.finalize())),
            sha256: self.sha256.map(|sha256| hex::encode(sha256.finalize())),
            crc32c: self.crc32c,
        }
    }
}

/// Moves bytes until the source closes or `length` are through; what they were.
///
/// # Errors
/// The inner one is the guest's to handle; the outer one is a trap.
pub(crate) async fn pump(
    table: &mut ResourceTable,
    source: &Resource<DynInputStream>,
    sink: &Resource<DynOutputStream>,
    length: Option<u64>,
    wanted: BodyNeeds,
) -> wasmtime::Result<Result<BodyInfo, PipeError>> {
    let (mut moved, mut digests) = (0_u64, Digests::wanted(wanted));
    loop {
        let most = length.map_or(u64::MAX, |length| length - moved).min(PIECE as u64) as usize;
        if most == 0 {
            break;
        }
        let piece = match table.get_mut(source)?.blocking_read(most).await {
            Ok(piece) => piece,
            Err(StreamError::Closed) if length.is_none() => break,
            Err(StreamError::Closed) => return Ok(Err(PipeError::EarlyEnd(moved))),
            Err(StreamError::LastOperationFailed(error)) => {
                return Ok(Err(PipeError::SourceFailed(clean(&error.to_string(), TEXT))));
            }
            Err(StreamError::Trap(error)) => return Err(error),
        };
        let bytes = piece.len() as u64;
        digests.update(&piece);
        // After the write it flushes; a sink that is closed by then has taken the piece.
        match table.get_mut(sink)?.blocking_write_and_flush(piece).await {
            Ok(()) => moved += bytes,
            Err(StreamError::Closed) => {
                return Ok(Err(PipeError::SinkFailed("the sink is closed".into())));
            }
            Err(StreamError::LastOperationFailed(error)) => {
                let reason = clean(&error.root_cause().to_string(), TEXT);
                return Ok(Err(PipeError::SinkFailed(reason)));
            }
            Err(StreamError::Trap(error)) => return Err(error),
        }
    }
    Ok(Ok(digests.info(moved)))
}
