//! bzip2 on all processors: one stream behind the other, as pbzip2 writes them.
//!
//! bzip2 compresses blocks of 900 kB that know nothing of one another, so a stream for each costs 14 bytes and nothing else.
//! Python's `bz2.decompress`, and so Cinder, reads all of them.

use std::io::{self, Write};

use super::parallel::{Cut, Parallel, Part};

/// Level, as Python's default; it gives the size of a block.
const LEVEL: u32 = 9;

/// What about fills one block.
const PART: usize = 890_000;

/// An encoder that uses so many processors.
pub(super) fn parallel(processors: usize) -> Parallel {
    let cut = Cut {
        part: PART,
        window: 0,
        compress,
    };
    Parallel::new(cut, processors)
}

fn compress(part: &Part) -> io::Result<Vec<u8>> {
    let level = bzip2::Compression::new(LEVEL);
    let mut encoder = bzip2::write::BzEncoder::new(Vec::with_capacity(part.bytes.len() / 2), level);
    encoder.write_all(&part.bytes)?;
    encoder.finish()
}
