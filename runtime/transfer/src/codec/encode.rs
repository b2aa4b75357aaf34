//! Compressing a stream whose length is known, on all processors.

use std::io::{self, Write};

use bytes::Bytes;
use zstd::zstd_safe::CParameter;

use super::Format;
use super::bzip2;
use super::deflate::ParallelZlib;
use super::parallel::Parallel;
use crate::control::Resources;

/// Level of zstd, as python-zstd's default.
const ZSTD_LEVEL: i32 = 3;
/// What one of its threads takes at a time; the default would be 8 MiB, of which it keeps several.
const ZSTD_JOB: u32 = 2 << 20;
/// Streams up to this length are not worth threads of their own to zstd.
const ZSTD_ALONE: u64 = 4 << 20;

/// How to compress objects of some length, and what one lane of a backup takes for it, the lane's own pieces included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    format: Format,
    processors: usize,
    /// Bytes of memory, as measured.
    pub(crate) memory: u64,
}

impl Effort {
    /// For so many objects of at most that length. Their lanes each have an encoder; together these have threads for all
    /// processors.
    pub(crate) fn new(format: Format, objects: usize, length: u64, resources: &Resources) -> Self {
        let processors = resources.processors().div_ceil(resources.most_lanes(objects));
        let (fixed, each) = match format {
            Format::None => (14, 0),
            Format::Zlib => (16, 4),
            Format::Bz2 => (16, 12),
            Format::Zstd if length > ZSTD_ALONE && processors > 1 => (20, 24),
            Format::Zstd => (24, 0),
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
    Bz2(Parallel),
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
            Format::Zlib => Kind::Zlib(Box::new(ParallelZlib::new(processors))),
            Format::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
                encoder.set_pledged_src_size(Some(length))?;
                encoder.include_contentsize(true)?;
                encoder.include_checksum(false)?;
                if processors > 1 && length > ZSTD_ALONE {
                    encoder.multithread(u32::try_from(processors).unwrap_or(1))?;
                    encoder.set_parameter(CParameter::JobSize(ZSTD_JOB))?;
                }
                Kind::Zstd(encoder)
            }
            Format::Bz2 => Kind::Bz2(bzip2::parallel(processors)),
        };
        Ok(Encoder { kind, taken: 0 })
    }

    /// Compresses more.
    pub(crate) fn push(&mut self, data: &[u8]) -> io::Result<()> {
        match &mut self.kind {
            Kind::None(out) => out.write_all(data),
            Kind::Zlib(encoder) => encoder.push(data),
            Kind::Zstd(encoder) => encoder.write_all(data),
            Kind::Bz2(encoder) => encoder.push(data),
        }
    }

    fn output(&mut self) -> &mut Vec<u8> {
        match &mut self.kind {
            Kind::None(out) => out,
            Kind::Zlib(encoder) => &mut encoder.parts.out,
            Kind::Zstd(encoder) => encoder.get_mut(),
            Kind::Bz2(encoder) => &mut encoder.out,
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
