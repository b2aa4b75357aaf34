//! Decompressing one stream of a declared length.
//!
//! The libraries' own readers take a cut stream for a whole one, or ignore what follows it; so this works on their
//! raw steps. Bound: never a byte beyond the declared length is produced, however small the bomb.

use bytes::Bytes;
use zstd::stream::raw::Operation;

use super::Format;

/// Bytes of output per piece.
const PIECE: usize = 1 << 20;

/// Why a stream does not decode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It ends too early, or is no such stream.
    Truncated(String),
    /// It has more than was declared.
    TooLong(String),
}

enum Kind {
    None,
    Zlib(flate2::Decompress),
    Zstd(zstd::stream::raw::Decoder<'static>),
    Bz2(bzip2::Decompress),
}

/// One step: bytes taken, bytes given, whether the stream is over.
struct Step {
    taken: usize,
    given: usize,
    ended: bool,
}

/// Decodes what is pushed, piece by piece.
pub(crate) struct Decoder {
    kind: Kind,
    length: u64,
    produced: u64,
    ended: bool,
    buffer: Vec<u8>,
    filled: usize,
}

impl Decoder {
    /// A decoder for a stream that holds exactly `length` bytes.
    pub(crate) fn new(format: Format, length: u64) -> Result<Self, Fault> {
        let kind = match format {
            Format::None => Kind::None,
            Format::Zlib => Kind::Zlib(flate2::Decompress::new(true)),
            Format::Zstd => {
                let decoder = zstd::stream::raw::Decoder::new();
                Kind::Zstd(decoder.map_err(|error| Fault::Truncated(error.to_string()))?)
            }
            Format::Bz2 => Kind::Bz2(bzip2::Decompress::new(false)),
        };
        Ok(Decoder {
            kind,
            length,
            produced: 0,
            ended: false,
            buffer: Vec::new(),
            filled: 0,
        })
    }

    /// Decodes more; `emit` gets the pieces, and may stop it all by its error.
    pub(crate) fn push<E: From<Fault>>(
        &mut self,
        input: Bytes,
        emit: &mut impl FnMut(Bytes) -> Result<(), E>,
    ) -> Result<(), E> {
        if matches!(self.kind, Kind::None) {
            let length = input.len() as u64;
            if length > self.length - self.produced {
                return Err(self.too_long().into());
            }
            self.produced += length;
            return if input.is_empty() { Ok(()) } else { emit(input) };
        }
        let mut rest: &[u8] = &input;
        while !rest.is_empty() {
            if self.ended && !self.next_stream() {
                return Err(
                    Fault::TooLong(format!("{} bytes follow the end of the stream", rest.len())).into(),
                );
            }
            let step = self.step(rest, emit)?;
            rest = rest.get(step.taken..).unwrap_or_default();
            if step.taken == 0 && step.given == 0 && !step.ended {
                return Err(Fault::Truncated("the stream makes no sense".into()).into());
            }
        }
        Ok(())
    }

    /// Says that all input was pushed.
    pub(crate) fn finish<E: From<Fault>>(
        &mut self,
        emit: &mut impl FnMut(Bytes) -> Result<(), E>,
    ) -> Result<(), E> {
        if !matches!(self.kind, Kind::None) {
            // What the library still holds.
            while !self.ended && self.step(&[], emit)?.given > 0 {}
            if !self.ended {
                let reason = format!(
                    "the compressed stream is cut after {} bytes of content",
                    self.produced
                );
                return Err(Fault::Truncated(reason).into());
            }
            self.flush(emit)?;
        }
        if self.produced != self.length {
            let reason = format!(
                "it has {} bytes of content instead of {}",
                self.produced, self.length
            );
            return Err(Fault::Truncated(reason).into());
        }
        Ok(())
    }

    fn too_long(&self) -> Fault {
        Fault::TooLong(format!("it has more than {} bytes of content", self.length))
    }

    fn step<E: From<Fault>>(
        &mut self,
        input: &[u8],
        emit: &mut impl FnMut(Bytes) -> Result<(), E>,
    ) -> Result<Step, E> {
        let left = self.length - self.produced;
        // One byte of room beyond the declared length tells a stream that ends there from one that goes on.
        let room = usize::try_from(left.saturating_add(1))
            .unwrap_or(usize::MAX)
            .min(PIECE - self.filled);
        let wanted = self.filled + room;
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        let output = self.buffer.get_mut(self.filled..wanted).unwrap_or_default();
        let step = self.kind.step(input, output).map_err(Fault::Truncated)?;
        if step.given as u64 > left {
            return Err(self.too_long().into());
        }
        self.filled += step.given;
        self.produced += step.given as u64;
        self.ended = step.ended;
        if self.filled == PIECE {
            self.flush(emit)?;
        }
        Ok(step)
    }

    /// Whether another stream may follow the one that ended: of bzip2, as long as content is missing.
    fn next_stream(&mut self) -> bool {
        if !matches!(self.kind, Kind::Bz2(_)) || self.produced >= self.length {
            return false;
        }
        self.kind = Kind::Bz2(bzip2::Decompress::new(false));
        self.ended = false;
        true
    }

    fn flush<E>(&mut self, emit: &mut impl FnMut(Bytes) -> Result<(), E>) -> Result<(), E> {
        let mut piece = std::mem::take(&mut self.buffer);
        piece.truncate(std::mem::take(&mut self.filled));
        if piece.is_empty() {
            Ok(())
        } else {
            emit(Bytes::from(piece))
        }
    }
}

impl Kind {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, String> {
        match self {
            Kind::None => Ok(Step {
                taken: 0,
                given: 0,
                ended: false,
            }),
            Kind::Zlib(zlib) => {
                let (taken, given) = (zlib.total_in(), zlib.total_out());
                let status = zlib
                    .decompress(input, output, flate2::FlushDecompress::None)
                    .map_err(|error| format!("no zlib stream: {error}"))?;
                Ok(Step {
                    taken: count(zlib.total_in() - taken),
                    given: count(zlib.total_out() - given),
                    ended: status == flate2::Status::StreamEnd,
                })
            }
            Kind::Zstd(zstd) => {
                let status = zstd
                    .run_on_buffers(input, output)
                    .map_err(|error| format!("no zstd frame: {error}"))?;
                // Nothing remaining is also what a decoder says that has not begun.
                let moved = status.bytes_read > 0 || status.bytes_written > 0;
                Ok(Step {
                    taken: status.bytes_read,
                    given: status.bytes_written,
                    ended: moved && status.remaining == 0,
                })
            }
            Kind::Bz2(bz2) => {
                let (taken, given) = (bz2.total_in(), bz2.total_out());
                let status = bz2
                    .decompress(input, output)
                    .map_err(|error| format!("no bzip2 stream: {error}"))?;
                if status == bzip2::Status::MemNeeded {
                    return Err("no memory to decompress it".into());
                }
                Ok(Step {
                    taken: count(bz2.total_in() - taken),
                    given: count(bz2.total_out() - given),
                    ended: status == bzip2::Status::StreamEnd,
                })
            }
        }
    }
}

fn count(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
