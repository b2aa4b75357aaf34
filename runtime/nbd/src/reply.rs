//! What a server sends after a request, checked before it is used.
//!
//! Headers and payloads are read by functions that know nothing of sockets. A read's content chunks must cover the request
//! exactly once: [`Coverage`] keeps the ranges that came, so that nothing overlaps, lies outside or is missing. Chunks per
//! request are bounded by one for every 512 bytes and 64 more, and so is the memory of the ranges.

use super::error::{NbdErrno, NbdError, clean};
use super::link::{Link, Patience};
use super::wire::*;

/// Bytes of an error chunk: a string and its fields.
const LONGEST_ERROR: usize = LONGEST_STRING + 64;

/// The head of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    Simple {
        error: u32,
        cookie: u64,
    },
    Chunk {
        done: bool,
        kind: u16,
        cookie: u64,
        length: u32,
    },
}

impl Header {
    /// The next head, of either kind.
    pub(super) fn read<S: Patience>(link: &mut Link<S>) -> Result<Self, NbdError> {
        let start: [u8; 16] = link.array()?;
        let mut fields = Fields::new(&start);
        match fields.u32()? {
            SIMPLE_REPLY_MAGIC => Ok(Header::Simple {
                error: fields.u32()?,
                cookie: fields.u64()?,
            }),
            STRUCTURED_REPLY_MAGIC => Ok(Header::Chunk {
                done: fields.u16()? & REPLY_FLAG_DONE != 0,
                kind: fields.u16()?,
                cookie: fields.u64()?,
                length: u32::from_be_bytes(link.array()?),
            }),
            _ => Err(NbdError::protocol("a reply has no magic number")),
        }
    }

    pub(super) fn cookie(&self) -> u64 {
        match self {
            Header::Simple { cookie, .. } | Header::Chunk { cookie, .. } => *cookie,
        }
    }
}

/// A server's error for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) errno: NbdErrno,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn simple(error: u32) -> Option<Self> {
        (error != 0).then(|| Failure {
            errno: NbdErrno::from_wire(error),
            message: String::new(),
        })
    }

    /// The error as the caller sees it.
    pub(super) fn at(self, doing: &'static str, offset: u64) -> NbdError {
        NbdError::Io {
            doing,
            offset,
            errno: self.errno,
            message: self.message,
        }
    }

    /// Takes the payload of an error chunk for a request of that range.
    pub(super) fn read<S: Patience>(
        link: &mut Link<S>,
        kind: u16,
        length: u32,
        range: (u64, u64),
    ) -> Result<Self, NbdError> {
        let payload = link.payload(length, LONGEST_ERROR)?;
        Self::parse(kind, &payload, range)
    }

    pub(super) fn parse(kind: u16, payload: &[u8], (start, length): (u64, u64)) -> Result<Self, NbdError> {
        let mut fields = Fields::new(payload);
        let error = fields.u32()?;
        let words = usize::from(fields.u16()?);
        let message = clean(fields.bytes(words)?);
        if kind == REPLY_ERROR_OFFSET {
            let offset = fields.u64()?;
            if offset.checked_sub(start).is_none_or(|within| within >= length) {
                return Err(NbdError::protocol("an error lies outside of its request"));
            }
        }
        let errno = NbdErrno::from_wire(error);
        if error == 0 {
            return Err(NbdError::protocol("an error without a number"));
        }
        Ok(Failure { errno, message })
    }
}

/// The parts of a read that have come.
#[derive(Debug)]
pub(super) struct Coverage {
    start: u64,
    length: u64,
    covered: u64,
    /// Sorted, apart from one another, relative to the start.
    ranges: Vec<(u64, u64)>,
}

impl Coverage {
    pub(super) fn new(start: u64, length: u64) -> Self {
        Coverage {
            start,
            length,
            covered: 0,
            ranges: Vec::new(),
        }
    }

    /// Takes one part, if it lies within the read and was not there before. Gives its place in the buffer.
    pub(super) fn add(&mut self, offset: u64, length: u64) -> Result<std::ops::Range<usize>, NbdError> {
        let outside = || NbdError::protocol("a chunk lies outside of its request");
        let from = offset.checked_sub(self.start).ok_or_else(outside)?;
        let to = from.checked_add(length).ok_or_else(outside)?;
        if to > self.length || length == 0 {
            return Err(outside());
        }
        let next = self.ranges.partition_point(|range| range.0 < from);
        let before = next.checked_sub(1).and_then(|before| self.ranges.get(before));
        let behind = before.map_or(0, |range| range.1);
        let ahead = self.ranges.get(next).map_or(self.length, |range| range.0);
        if behind > from || to > ahead {
            return Err(NbdError::protocol("two chunks of a reply overlap"));
        }
        self.covered += length;
        // In order, as servers mostly send them, one range grows.
        match next.checked_sub(1).and_then(|before| self.ranges.get_mut(before)) {
            Some(range) if range.1 == from => range.1 = to,
            _ => self.ranges.insert(next, (from, to)),
        }
        let place = |at| usize::try_from(at).map_err(|_| outside());
        Ok(place(from)?..place(to)?)
    }

    /// Whether every byte has come, and so exactly once.
    pub(super) fn is_full(&self) -> bool {
        self.covered == self.length
    }
}

/// One read request and the memory that it fills.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub(super) cookie: u64,
    pub(super) failure: Option<Failure>,
    offset: u64,
    buffer: &'a mut [u8],
    coverage: Coverage,
    chunks_left: usize,
}

impl<'a> Piece<'a> {
    pub(super) fn new(cookie: u64, offset: u64, buffer: &'a mut [u8]) -> Self {
        let length = buffer.len();
        Piece {
            cookie,
            failure: None,
            offset,
            buffer,
            coverage: Coverage::new(offset, length as u64),
            chunks_left: length / 512 + 64,
        }
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes what follows the head; true when the request is answered.
    pub(super) fn accept<S: Patience>(
        &mut self,
        link: &mut Link<S>,
        header: Header,
        structured: bool,
    ) -> Result<bool, NbdError> {
        let range = (self.offset, self.buffer.len() as u64);
        let (done, kind, length) = match header {
            Header::Simple { error, .. } => {
                self.failure = self.failure.take().or_else(|| Failure::simple(error));
                if error == 0 && structured {
                    return Err(NbdError::protocol("a read has a simple reply"));
                }
                if error == 0 {
                    link.read(self.buffer)?;
                }
                return Ok(true);
            }
            Header::Chunk { .. } if !structured => {
                return Err(NbdError::protocol("a structured reply that was not agreed on"));
            }
            Header::Chunk {
                done, kind, length, ..
            } => (done, kind, length),
        };
        self.chunks_left = self
            .chunks_left
            .checked_sub(1)
            .ok_or_else(|| NbdError::protocol("a reply comes in too many chunks"))?;
        match kind {
            REPLY_NONE if length == 0 && done => {}
            REPLY_OFFSET_DATA if length > 8 => {
                let offset = u64::from_be_bytes(link.array()?);
                let place = self.coverage.add(offset, u64::from(length) - 8)?;
                link.read(self.buffer.get_mut(place).unwrap_or_default())?;
            }
            REPLY_OFFSET_HOLE if length == 12 => {
                let offset = u64::from_be_bytes(link.array()?);
                let size = u32::from_be_bytes(link.array()?);
                let place = self.coverage.add(offset, u64::from(size))?;
                self.buffer.get_mut(place).unwrap_or_default().fill(0);
            }
            kind if kind & REPLY_ERROR != 0 => {
                let failure = Failure::read(link, kind, length, range)?;
                self.failure.get_or_insert(failure);
            }
            _ => return Err(unexpected(kind, length)),
        }
        if done && self.failure.is_none() && !self.coverage.is_full() {
            return Err(NbdError::protocol("a read is answered only in part"));
        }
        Ok(done)
    }
}

pub(super) fn unexpected(kind: u16, length: u32) -> NbdError {
    NbdError::protocol(format!("an unexpected chunk of kind {kind} with {length} bytes"))
}

#[cfg(test)]
#[path = "tests/reply.rs"]
mod tests;
