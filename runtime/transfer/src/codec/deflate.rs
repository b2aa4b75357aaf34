//! zlib on all processors (the way of Mark Adler's pigz).
//!
//! Parts of [`PART`] bytes are compressed apart, each with the 32 KiB before it as its dictionary, and flushed to a byte
//! boundary, so that one behind the other they are one valid stream; header and checksum are of the whole. A part that is
//! noise wherever it is looked at is stored in it as it is: deflate would take longer for it than for anything else, to no end.
//! Cost: five bytes for each part (for each 64 KiB of noise), and what a match across a part's end would have saved.

use std::io;

use flate2::{Compress, Compression, FlushCompress, Status};

use super::encode::looks_incompressible;
use super::parallel::{Cut, Parallel, Part};

const PART: usize = 512 << 10;

/// How far back deflate looks.
const WINDOW: usize = 32 << 10;

/// Level, as Python's default.
const LEVEL: u32 = 6;

/// How a part is sampled for noise.
const SAMPLES: usize = 8;
const SAMPLE: usize = 4 << 10;

/// Deflate with a window of 32 KiB, default level (RFC 1950).
const HEADER: [u8; 2] = [0x78, 0x9c];

/// Compresses what is pushed.
pub(super) struct ParallelZlib {
    pub(super) parts: Parallel,
    checksum: simd_adler32::Adler32,
}

impl ParallelZlib {
    /// An encoder that uses so many processors.
    pub(super) fn new(processors: usize) -> Self {
        let cut = Cut {
            part: PART,
            window: WINDOW,
            compress,
        };
        let mut parts = Parallel::new(cut, processors);
        parts.out.extend_from_slice(&HEADER);
        ParallelZlib {
            parts,
            checksum: simd_adler32::Adler32::new(),
        }
    }

    pub(super) fn push(&mut self, data: &[u8]) -> io::Result<()> {
        self.checksum.write(data);
        self.parts.push(data)
    }

    pub(super) fn finish(self) -> io::Result<Vec<u8>> {
        let mut out = self.parts.finish()?;
        out.extend_from_slice(&self.checksum.finish().to_be_bytes());
        Ok(out)
    }
}

/// Whether none of a few samples from all over the part shrinks.
fn is_noise(bytes: &[u8]) -> bool {
    let step = bytes.len() / SAMPLES;
    step >= SAMPLE
        && bytes
            .chunks_exact(step)
            .filter_map(|chunk| chunk.get(..SAMPLE))
            .all(looks_incompressible)
}

fn compress(part: &Part) -> io::Result<Vec<u8>> {
    let is_noise = is_noise(&part.bytes);
    let level = if is_noise {
        Compression::none()
    } else {
        Compression::new(LEVEL)
    };
    let mut deflate = Compress::new(level, false);
    if !part.before.is_empty() && !is_noise {
        deflate.set_dictionary(&part.before)?;
    }
    let flush = if part.is_last {
        FlushCompress::Finish
    } else {
        FlushCompress::Sync
    };
    let bytes = &part.bytes;
    let room = if is_noise { bytes.len() } else { bytes.len() / 2 };
    let mut out = Vec::with_capacity(room + 1024);
    loop {
        let consumed = usize::try_from(deflate.total_in()).unwrap_or(usize::MAX);
        let rest = bytes.get(consumed..).unwrap_or_default();
        let status = deflate.compress_vec(rest, &mut out, flush)?;
        let all = deflate.total_in() == bytes.len() as u64;
        // All of it is out once room is left over.
        if status == Status::StreamEnd || (!part.is_last && all && out.len() < out.capacity()) {
            return Ok(out);
        }
        out.reserve(bytes.len() / 2 + 1024);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn inflate(packed: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut decoder = flate2::bufread::ZlibDecoder::new(packed);
        decoder.read_to_end(&mut out).unwrap();
        assert_eq!(decoder.total_in(), packed.len() as u64, "nothing behind");
        out
    }

    #[test]
    fn parts_make_one_stream_that_any_zlib_reads() {
        let mut chance = fastrand::Rng::with_seed(3);
        for length in [0, 1, WINDOW, PART - 1, PART, PART + 1, 3 * PART + 77, 9 * PART] {
            let mut data = Vec::with_capacity(length);
            while data.len() < length {
                let run = chance.usize(1..5000).min(length - data.len());
                match chance.u8(..3) {
                    0 => data.extend(std::iter::repeat_with(|| chance.u8(..)).take(run)),
                    1 => data.extend(b"volume backup chunk ".iter().cycle().take(run)),
                    _ => data.extend(std::iter::repeat_n(0, run)),
                }
            }
            let mut encoder = ParallelZlib::new(3);
            let mut rest = &data[..];
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(chance.usize(1..300_000)));
                encoder.push(now).unwrap();
                rest = later;
            }
            let packed = encoder.finish().unwrap();
            assert!(inflate(&packed) == data, "{length}");
            let mut whole = flate2::bufread::ZlibEncoder::new(&data[..], Compression::new(6));
            let mut alone = Vec::new();
            whole.read_to_end(&mut alone).unwrap();
            let most = alone.len() + alone.len() / 50 + 64 + 16 * (length / PART + 1);
            assert!(
                packed.len() <= most,
                "{length}: {} against {}",
                packed.len(),
                alone.len()
            );
        }
    }
}
