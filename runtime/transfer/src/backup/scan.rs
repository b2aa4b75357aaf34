//! First two stages: read the volume once and digest it.
//!
//! `scan` reads slabs, leaves out holes, tells zeros from data and makes the SHA-256 of every block; `digest` sees to
//! the MD5 of every object on a thread of its own, because MD5 is the slowest of the three. Bound: [`QUEUE`] slabs between
//! two stages.

use std::sync::mpsc::{Receiver, SyncSender};

use super::layout::{Chunk, Layout, Piece, Span};
use crate::digest::{BlockHasher, ObjectMd5, Together, is_zero};
use crate::error::TransferError;
use crate::format::{Digests, Md5Digest};
use crate::progress::{Cancel, Tally};
use crate::thread::Stop;
use crate::volume::{Extent, Source};

/// Slabs that wait between two stages.
pub(super) const QUEUE: usize = 2;

/// What the first stage knows of an object: the digests of its blocks, and how many bytes of it are zeros.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub(super) digests: Digests,
    pub(super) zeros: u64,
}

/// Reads the objects' spans, which begin and end with blocks. Unless it is forced, a volume that changes is an error.
pub(super) fn scan(
    source: &Source,
    layout: &Layout,
    objects: &[(u64, Span)],
    force: bool,
    cancel: &Cancel,
    tally: &Tally,
    out: &SyncSender<Piece<Scanned>>,
) -> Result<(), Stop> {
    let mut hasher = BlockHasher::new(layout.block_size);
    let mut extent = source.extent(0);
    for (_, span) in objects {
        let mut object = Scanned::default();
        let mut each = |digest| object.digests.push(digest);
        let (mut offset, end) = (span.offset, span.offset + span.length);
        while offset < end {
            if cancel.is_cancelled() {
                return Err(TransferError::Cancelled.into());
            }
            let length = layout.slab().min(end - offset);
            let chunk = slab(source, &mut extent, offset, length)?;
            match &chunk {
                Chunk::Data(data) => hasher.push(data, &mut each),
                Chunk::Zeros(count) => {
                    hasher.push_zeros(*count, &mut each);
                    tally.add_skipped(*count);
                    object.zeros += count;
                }
            }
            out.send(Piece::Chunk(chunk)).map_err(|_| Stop::Gone)?;
            offset += length;
        }
        hasher.finish(&mut each);
        if force {
            source.check_size()?;
        } else {
            source.check_unchanged()?;
        }
        out.send(Piece::End(object)).map_err(|_| Stop::Gone)?;
    }
    Ok(())
}

/// Some bytes of the volume, at or behind those that were asked for before with this extent; what is a hole is not read.
pub(super) fn slab(
    source: &Source,
    extent: &mut Extent,
    offset: u64,
    length: u64,
) -> Result<Chunk, TransferError> {
    while extent.end() <= offset && extent.end() < source.size() {
        *extent = source.extent(offset);
    }
    match *extent {
        // A slab that is a hole only in part is read.
        Extent::Hole(until) if until >= offset + length => return Ok(Chunk::Zeros(length)),
        _ => {}
    }
    let slab = source.read(offset, length)?;
    Ok(if is_zero(&slab) {
        Chunk::Zeros(length)
    } else {
        Chunk::Data(slab)
    })
}

/// Adds the MD5 of each object.
pub(super) fn digest(
    input: &Receiver<Piece<Scanned>>,
    together: &Together,
    out: &SyncSender<Piece<(Scanned, Md5Digest)>>,
) -> Result<(), Stop> {
    let mut md5 = ObjectMd5::new(together);
    // The stage before ends by going away, well or not; it knows which.
    while let Ok(piece) = input.recv() {
        let piece = match piece {
            Piece::Chunk(chunk) => {
                match &chunk {
                    Chunk::Zeros(count) => md5.push_zeros(*count),
                    Chunk::Data(data) => md5.push(data),
                }
                Piece::Chunk(chunk)
            }
            Piece::End(scanned) => Piece::End((scanned, md5.finish())),
        };
        out.send(piece).map_err(|_| Stop::Gone)?;
    }
    Ok(())
}
