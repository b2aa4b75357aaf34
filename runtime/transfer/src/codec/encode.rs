//! Compressing a stream whose length is known: zlib and zstd on all processors, bzip2 on one.

use std::io::{self, Write};

use bytes::Bytes;

use super::Format;
use super::deflate::ParallelZlib;
use crate::control::{MOST_LANES, Resources};

/// Level of zlib, as Python's default.
const ZLIB_LEVEL: u32 = 6;
/// Level of zstd, as python-zstd's default.
const ZSTD_LEVEL: i32 = 3;
/// Streams up to this length are not worth threads of their own to zstd.
const ZSTD_ALONE: u64 = 4 << 20;
/// Level of bzip2, as Python's default.
const BZ2_LEVEL: u32 = 9;

/// How to compress objects of some length, and what one lane of a backup takes for it, the lane's own pieces included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    format: Format,
    processors: usize,
    /// Bytes of memory, as measured.
    pub(crate) memory: u64,
}

impl Effort {
    /// For objects of at most that length.
    pub(crate) fn new(format: Format, length: u64, resources: &Resources) -> Self {
        // The lanes of a backup each have an encoder; together they have threads for about all processors, and each for
        // two where there are two, since an object may be alone.
        let all = resources.processors();
        let processors = all.div_ceil(MOST_LANES).max(all.min(2));
        let (fixed, each) = match format {
            Format::None => (24, 0),
            Format::Zlib | Format::Bz2 => (40, 12),
            Format::Zstd if length > ZSTD_ALONE => (40, 48),
            Format::Zstd => (40, 0),
        };
        Effort {
            format,
            processors,
            memory: (fixed + each * processors as u64) << 20,
        }
    }
}

enum Kind {
    None(Vec<u8>),
    Zlib(Box<ParallelZlib>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    Bz2(bzip2::write::BzEncoder<Vec<u8>>),
}

/// Compresses what is pushed. The output collects inside until it is taken.
pub(crate) struct Encoder {
    kind: Kind,
    taken: u64,
}

impl Encoder {
    /// An encoder for exactly `length` bytes.
    pub(crate) fn new(effort: Effort, length: u64) -> io::Result<Self> {
        let Effort {
            format, processors, ..
        } = effort;
        let kind = match format {
            Format::None => Kind::None(Vec::new()),
            Format::Zlib => Kind::Zlib(Box::new(ParallelZlib::new(ZLIB_LEVEL, processors))),
            Format::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
                encoder.set_pledged_src_size(Some(length))?;
                encoder.include_contentsize(true)?;
                encoder.include_checksum(false)?;
                if processors > 1 && length > ZSTD_ALONE {
                    encoder.multithread(u32::try_from(processors).unwrap_or(1))?;
                }
                Kind::Zstd(encoder)
            }
            Format::Bz2 => Kind::Bz2(bzip2::write::BzEncoder::new(
                Vec::new(),
                bzip2::Compression::new(BZ2_LEVEL),
            )),
        };
        Ok(Encoder { kind, taken: 0 })
    }

    /// Compresses more.
    pub(crate) fn push(&mut self, data: &[u8]) -> io::Result<()> {
        match &mut self.kind {
            Kind::None(out) => out.write_all(data),
            Kind::Zlib(encoder) => encoder.push(data),
            Kind::Zstd(encoder) => encoder.write_all(data),
            Kind::Bz2(encoder) => encoder.write_all(data),
        }
    }

    fn output(&mut self) -> &mut Vec<u8> {
        match &mut self.kind {
            Kind::None(out) => out,
            Kind::Zlib(encoder) => &mut encoder.out,
            Kind::Zstd(encoder) => encoder.get_mut(),
            Kind::Bz2(encoder) => encoder.get_mut(),
        }
    }

    /// Bytes of output so far.
    pub(crate) fn written(&mut self) -> u64 {
        self.taken + self.output().len() as u64
    }

    /// The output so far, if that is at least `least` bytes.
    pub(crate) fn take(&mut self, least: usize) -> Option<Bytes> {
        let output = self.output();
        if output.is_empty() || output.len() < least {
            return None;
        }
        let piece = Bytes::from(std::mem::take(output));
        self.taken += piece.len() as u64;
        Some(piece)
    }

    /// Ends the stream: all output that was not taken yet.
    pub(crate) fn finish(self) -> io::Result<Bytes> {
        let rest = match self.kind {
            Kind::None(out) => out,
            Kind::Zlib(encoder) => encoder.finish()?,
            Kind::Zstd(encoder) => encoder.finish()?,
            Kind::Bz2(encoder) => encoder.finish()?,
        };
        Ok(Bytes::from(rest))
    }
}

/// Whether a quick try makes the sample no smaller.
pub(crate) fn looks_incompressible(sample: &[u8]) -> bool {
    zstd::bulk::compress(sample, 1).is_ok_and(|packed| packed.len() >= sample.len())
}
