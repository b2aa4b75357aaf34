//! How a volume is cut into objects, hash blocks and pieces, and what goes through the pipeline.

use bytes::Bytes;
use cofferdam_sandbox::contract::Placement;

use crate::digest::zeros;
use crate::error::TransferError;
use crate::format::most_blocks;
use crate::manifest::MAX_METADATA;

/// Bytes that are read at once; more only when a hash block is greater.
const SLAB: u64 = 1 << 20;

/// Some bytes of the volume.
#[derive(Debug, Clone)]
pub(super) enum Chunk {
    /// As they were read.
    Data(Bytes),
    /// That many zeros.
    Zeros(u64),
}

impl Chunk {
    pub(super) fn len(&self) -> u64 {
        match self {
            Chunk::Data(data) => data.len() as u64,
            Chunk::Zeros(count) => *count,
        }
    }

    /// Its bytes, in slices of at most 1 MiB of zeros or all of the data.
    pub(super) fn each<E>(&self, mut each: impl FnMut(Bytes) -> Result<(), E>) -> Result<(), E> {
        match self {
            Chunk::Data(data) => each(data.clone()),
            Chunk::Zeros(count) => zeros(*count, |part| each(Bytes::from_static(part))),
        }
    }
}

/// What one stage hands to the next: the chunks of an object, then its end with what is known then.
#[derive(Debug)]
pub(super) enum Piece<E> {
    Chunk(Chunk),
    End(E),
}

/// Where an object's bytes are in the volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// How the volume is cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) size: u64,
    pub(super) object_size: u64,
    pub(super) block_size: u32,
}

impl Layout {
    /// Checks a placement, which comes from the driver.
    pub(super) fn new(
        size: u64,
        placement: &Placement,
        greatest: Option<u64>,
    ) -> Result<Self, TransferError> {
        let Placement {
            prefix,
            object_size,
            block_size,
            ..
        } = placement;
        let (object_size, block_size) = (*object_size, *block_size);
        let refused = |reason: String| Err(TransferError::InvalidRequest { reason });
        if object_size == 0 || block_size == 0 || object_size % u64::from(block_size) != 0 {
            return refused(format!(
                "the object size {object_size} is not a multiple of the hash block size {block_size}, or one is 0"
            ));
        }
        let layout = Layout {
            size,
            object_size,
            block_size,
        };
        // Upper bounds of what the control documents will have.
        let name = if prefix.is_ascii() {
            prefix.len()
        } else {
            prefix.len() * 6
        } as u64;
        let metadata = layout.objects().saturating_mul(name + 256);
        if metadata > MAX_METADATA as u64 {
            return refused(format!(
                "the volume would be cut into {} objects of {object_size} bytes, more than the metadata object can list",
                layout.objects()
            ));
        }
        let blocks = size.div_ceil(u64::from(block_size));
        if blocks > most_blocks(size) {
            return refused(format!(
                "hash blocks of {block_size} bytes are too small for a volume of {size} bytes"
            ));
        }
        let digests = blocks.saturating_mul(72).saturating_add(4096);
        for (what, wanted) in [
            ("a data object", object_size.min(size)),
            ("the list of digests", digests),
            ("the list of objects", metadata),
        ] {
            if let Some(greatest) = greatest
                && wanted > greatest
            {
                return Err(TransferError::ObjectTooLarge {
                    what: what.into(),
                    wanted,
                    greatest,
                });
            }
        }
        Ok(layout)
    }

    /// Objects of a full backup; an incremental one cannot have more than blocks.
    fn objects(&self) -> u64 {
        self.size.div_ceil(self.object_size)
    }

    /// The objects of a full backup, in order.
    pub(super) fn spans(&self) -> impl Iterator<Item = Span> {
        let Layout {
            size, object_size, ..
        } = *self;
        (0..self.objects()).map(move |index| {
            let offset = index * object_size;
            Span {
                offset,
                length: object_size.min(size - offset),
            }
        })
    }

    /// Bytes to read at once: whole hash blocks where they are small enough.
    pub(super) fn slab(&self) -> u64 {
        let block = u64::from(self.block_size);
        if block >= SLAB { SLAB } else { SLAB / block * block }
    }
}
