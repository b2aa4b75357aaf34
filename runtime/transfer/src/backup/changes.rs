//! What has changed since the parent: first pass of an incremental backup.
//!
//! Cinder's rule (chunkeddriver.py): every block of the volume is digested and compared with the parent's digest of it;
//! each greatest run of changed blocks within one piece of the volume, which is as long as an object of a full backup,
//! becomes an object. How: all processors digest, [`UNIT`] bytes at a time; the runs follow from the digests alone. The
//! changed blocks are read again when they are stored, and digested again then, so what is stored and its digest
//! always belong together. Cost: the volume is read and digested once, holes are not read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::layout::{Chunk, Layout, Span};
use super::scan::slab;
use crate::control::Control;
use crate::digest::BlockHasher;
use crate::error::TransferError;
use crate::format::Sha256Digest;
use crate::progress::Cancel;
use crate::volume::Source;

/// About how many bytes one processor digests before it takes others.
const UNIT: u64 = 8 << 20;

/// Digests the whole volume; gives the digest of every block, and the runs that differ from the parent's.
///
/// # Errors
/// When the volume cannot be read, or somebody asks to stop.
pub(super) fn changes(
    source: &Source,
    layout: &Layout,
    parent: &[Sha256Digest],
    control: &Control,
) -> Result<(Vec<Sha256Digest>, Vec<Span>), TransferError> {
    let unit = UNIT.div_ceil(layout.slab()) * layout.slab();
    let (next, done, fault) = (AtomicU64::new(0), Mutex::new(Vec::new()), Mutex::new(None));
    let work = || {
        while fault.lock().is_ok_and(|fault| fault.is_none()) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let offset = index.saturating_mul(unit);
            if offset >= layout.size {
                return;
            }
            let span = Span {
                offset,
                length: unit.min(layout.size - offset),
            };
            match digest(source, layout, span, &control.cancel) {
                Ok(digests) => {
                    control
                        .progress
                        .add_done(unchanged(layout, span, &digests, parent));
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((index, digests));
                }
                Err(error) => *fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..control.resources.processors() {
            scope.spawn(work);
        }
        work();
    });
    if let Some(error) = fault.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(index, _)| *index);
    let digests: Vec<Sha256Digest> = done.into_iter().flat_map(|(_, digests)| digests).collect();
    let spans = runs(layout, &digests, parent);
    Ok((digests, spans))
}

fn digest(
    source: &Source,
    layout: &Layout,
    span: Span,
    cancel: &Cancel,
) -> Result<Vec<Sha256Digest>, TransferError> {
    let mut digests = Vec::new();
    let mut each = |digest| digests.push(digest);
    let mut hasher = BlockHasher::new(layout.block_size);
    let mut extent = source.extent(span.offset);
    let (mut offset, end) = (span.offset, span.offset + span.length);
    while offset < end {
        if cancel.is_cancelled() {
            return Err(TransferError::Cancelled);
        }
        let length = layout.slab().min(end - offset);
        match slab(source, &mut extent, offset, length)? {
            Chunk::Data(data) => hasher.push(&data, &mut each),
            Chunk::Zeros(count) => hasher.push_zeros(count, &mut each),
        }
        offset += length;
    }
    hasher.finish(&mut each);
    Ok(digests)
}

/// Bytes of a span, which begins with a block, that are as the parent has them.
fn unchanged(layout: &Layout, span: Span, digests: &[Sha256Digest], parent: &[Sha256Digest]) -> u64 {
    let block = u64::from(layout.block_size);
    let first = usize::try_from(span.offset / block).unwrap_or(usize::MAX);
    let same = digests
        .iter()
        .zip(parent.iter().skip(first))
        .zip((span.offset..).step_by(layout.block_size as usize))
        .filter(|((own, parent), _)| own == parent);
    same.map(|(_, offset)| block.min(layout.size - offset)).sum()
}

/// The greatest runs of blocks that differ, none of which crosses from one piece of the volume to the next.
fn runs(layout: &Layout, digests: &[Sha256Digest], parent: &[Sha256Digest]) -> Vec<Span> {
    let block = u64::from(layout.block_size);
    let mut spans: Vec<Span> = Vec::new();
    let offsets = (0..layout.size).step_by(layout.block_size as usize);
    for (offset, (own, parent)) in offsets.zip(digests.iter().zip(parent)) {
        if own == parent {
            continue;
        }
        let length = block.min(layout.size - offset);
        match spans.last_mut() {
            Some(last) if last.offset + last.length == offset && offset % layout.object_size != 0 => {
                last.length += length;
            }
            _ => spans.push(Span { offset, length }),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: u64) -> Layout {
        Layout {
            size,
            object_size: 8,
            block_size: 4,
        }
    }

    #[test]
    fn a_run_never_crosses_from_one_piece_to_the_next() {
        let digest = |byte| [byte; 32];
        let parent: Vec<_> = (0..5).map(digest).collect();
        let changed = |blocks: &[usize]| {
            let mut own = parent.clone();
            blocks.iter().for_each(|block| own[*block] = digest(99));
            let spans = runs(&layout(18), &own, &parent);
            spans
                .iter()
                .map(|span| (span.offset, span.length))
                .collect::<Vec<_>>()
        };
        assert_eq!(changed(&[]), []);
        assert_eq!(changed(&[1, 2]), [(4, 4), (8, 4)]);
        assert_eq!(changed(&[0, 1, 3, 4]), [(0, 8), (12, 4), (16, 2)]);
    }

    #[test]
    fn what_is_unchanged_is_counted_to_the_byte() {
        let parent = [[1; 32], [2; 32], [3; 32]];
        let span = Span { offset: 4, length: 6 };
        let count = |digests: &[Sha256Digest]| unchanged(&layout(10), span, digests, &parent);
        assert_eq!(count(&[[2; 32], [3; 32]]), 6);
        assert_eq!(count(&[[9; 32], [3; 32]]), 2);
        assert_eq!(count(&[[9; 32], [9; 32]]), 0);
    }
}
