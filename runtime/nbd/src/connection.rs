//! Requests on one connection after its handshake.
//!
//! A read of much is sent as several requests at once, so that the server always has the next one in hand; their replies
//! may come in any order. Everything else has one request in flight. An answer with an error leaves the connection in
//! step; any other failure does not, and its owner has to drop it.

use std::time::Duration;

use super::error::{NbdErrno, NbdError};
use super::handshake::{Export, Wanted, negotiate};
use super::link::{Link, Patience};
use super::reply::{Failure, Header, Piece, unexpected};
use super::status::{Descriptor, read_status};
use super::wire::*;

/// Bytes of one read or write, if the server takes as many.
const PIECE: u32 = 1 << 20;
/// The same for a server that prefers greater blocks.
const MOST_PIECE: u32 = 4 << 20;
/// Reads that are in flight on a connection.
const WINDOW: usize = 4;
/// Bytes that one request zeroes: few enough that a server without holes writes them well within the timeout.
const ZERO_PIECE: u32 = 32 << 20;
/// Chunks of a reply that is not a read's: one for each context, errors, and an end.
const MOST_CHUNKS: usize = 16;

/// A negotiated connection.
#[derive(Debug)]
pub(super) struct Connection<S> {
    link: Link<S>,
    export: Export,
    cookie: u64,
}

/// What a block status reply tells, by context.
#[derive(Debug, Default)]
pub(super) struct Status {
    pub(super) allocation: Option<Vec<Descriptor>>,
    pub(super) bitmap: Option<Vec<Descriptor>>,
}

/// A request as its reply is checked against.
#[derive(Debug, Clone, Copy)]
struct Request {
    doing: &'static str,
    cookie: u64,
    offset: u64,
    length: u32,
}

impl<S: Patience> Connection<S> {
    /// Shakes hands.
    pub(super) fn open(stream: S, timeout: Duration, wanted: &Wanted) -> Result<Self, NbdError> {
        let mut link = Link::new(stream, timeout);
        let export = negotiate(&mut link, wanted)?;
        Ok(Self::negotiated(link, export))
    }

    pub(super) fn negotiated(link: Link<S>, export: Export) -> Self {
        Connection {
            link,
            export,
            cookie: 0,
        }
    }

    pub(super) fn export(&self) -> &Export {
        &self.export
    }

    pub(super) fn set_timeout(&mut self, timeout: Duration) -> Result<(), NbdError> {
        self.link.set_timeout(timeout)
    }

    /// Bytes of the greatest read or write: preferred blocks, or at least whole ones.
    fn piece(&self) -> usize {
        let export = &self.export;
        let most = PIECE.max(export.preferred).min(MOST_PIECE).min(export.maximum);
        let unit = if most >= export.preferred {
            export.preferred
        } else {
            export.minimum
        };
        let most = most - most.checked_rem(unit).unwrap_or(0);
        usize::try_from(most).unwrap_or(1).max(1)
    }

    /// Sends the head of a request. No flags: holes may be punched, replies may come in pieces.
    fn send(
        &mut self,
        doing: &'static str,
        command: u16,
        offset: u64,
        length: u32,
    ) -> Result<Request, NbdError> {
        self.cookie = self.cookie.wrapping_add(1);
        let mut head = Vec::with_capacity(28);
        head.extend(REQUEST_MAGIC.to_be_bytes());
        head.extend(0_u16.to_be_bytes());
        head.extend(command.to_be_bytes());
        head.extend(self.cookie.to_be_bytes());
        head.extend(offset.to_be_bytes());
        head.extend(length.to_be_bytes());
        self.link.write(&head)?;
        Ok(Request {
            doing,
            cookie: self.cookie,
            offset,
            length,
        })
    }

    /// Fills the buffer from that byte on; both multiples of the minimum block, within the export.
    pub(super) fn read(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), NbdError> {
        self.link.begin("reading", buffer.len() as u64);
        let mut todo = buffer.chunks_mut(self.piece());
        let mut next = offset;
        let mut waiting: Vec<Piece<'_>> = Vec::with_capacity(WINDOW);
        let mut failed = None;
        loop {
            while waiting.len() < WINDOW && failed.is_none() {
                let Some(buffer) = todo.next() else { break };
                let length = short(buffer.len())?;
                let request = self.send("reading", CMD_READ, next, length)?;
                waiting.push(Piece::new(request.cookie, next, buffer));
                next = next.saturating_add(u64::from(length));
            }
            if waiting.is_empty() {
                break;
            }
            let header = Header::read(&mut self.link)?;
            let found = waiting
                .iter()
                .position(|piece| piece.cookie == header.cookie())
                .and_then(|at| Some((at, waiting.get_mut(at)?)));
            let Some((at, piece)) = found else {
                return Err(NbdError::protocol("a reply to no request"));
            };
            if piece.accept(&mut self.link, header, self.export.structured)? {
                let piece = waiting.swap_remove(at);
                failed = failed.or_else(|| Some((piece.offset(), piece.failure?)));
            }
        }
        match failed {
            Some((offset, failure)) => Err(failure.at("reading", offset)),
            None => Ok(()),
        }
    }

    /// Writes from that byte on; both multiples of the minimum block, within the export.
    pub(super) fn write(&mut self, offset: u64, data: &[u8]) -> Result<(), NbdError> {
        let mut next = offset;
        for data in data.chunks(self.piece()) {
            let length = short(data.len())?;
            self.link.begin("writing", data.len() as u64);
            let request = self.send("writing", CMD_WRITE, next, length)?;
            self.link.write(data)?;
            self.answer(request, None)?;
            next = next.saturating_add(u64::from(length));
        }
        Ok(())
    }

    /// Makes zeros, where the server likes by a hole; both multiples of the minimum block, within the export. `false` when
    /// the server cannot.
    pub(super) fn write_zeroes(&mut self, offset: u64, length: u64) -> Result<bool, NbdError> {
        if !self.export.has(SEND_WRITE_ZEROES) {
            return Ok(false);
        }
        let (mut next, mut left) = (offset, length);
        while left > 0 {
            let length = ZERO_PIECE.min(u32::try_from(left).unwrap_or(u32::MAX));
            let doing = "writing zeros";
            self.link.begin(doing, u64::from(length));
            let request = self.send(doing, CMD_WRITE_ZEROES, next, length)?;
            match self.answer(request, None) {
                Err(NbdError::Io {
                    errno: NbdErrno::NotSupported,
                    ..
                }) => return Ok(false),
                other => other?,
            }
            next = next.saturating_add(u64::from(length));
            left -= u64::from(length);
        }
        Ok(true)
    }

    /// Makes all answered writes durable, if the server knows how to.
    pub(super) fn flush(&mut self) -> Result<(), NbdError> {
        if !self.export.has(SEND_FLUSH) {
            return Ok(());
        }
        self.link.begin_long("flushing")?;
        let request = self.send("flushing", CMD_FLUSH, 0, 0)?;
        let answer = self.answer(request, None);
        // Also after an error of the server: the connection stays in use.
        self.link.end_long()?;
        answer
    }

    /// Asks for the status of a range; only when a context was granted.
    pub(super) fn status(&mut self, offset: u64, length: u32) -> Result<Status, NbdError> {
        let doing = "asking for block status";
        self.link.begin(doing, 0);
        let request = self.send(doing, CMD_BLOCK_STATUS, offset, length)?;
        let mut status = Status::default();
        self.answer(request, Some(&mut status))?;
        let missing = (self.export.allocation.is_some() && status.allocation.is_none())
            || (self.export.bitmap.is_some() && status.bitmap.is_none());
        if missing {
            return Err(NbdError::protocol("a block status leaves out a context"));
        }
        Ok(status)
    }

    /// Says goodbye, so that the server need not guess. There is no answer.
    pub(super) fn disconnect(&mut self) {
        self.link.begin("disconnecting", 0);
        // The server may be gone already.
        let _ = self.link.wait_at_most(Duration::from_secs(1));
        let _ = self.send("disconnecting", CMD_DISC, 0, 0);
    }

    /// Takes the reply to anything but a read.
    fn answer(&mut self, request: Request, mut status: Option<&mut Status>) -> Result<(), NbdError> {
        let range = (request.offset, u64::from(request.length));
        let mut failed: Option<Failure> = None;
        for _ in 0..MOST_CHUNKS {
            let header = Header::read(&mut self.link)?;
            if header.cookie() != request.cookie {
                return Err(NbdError::protocol("a reply to no request"));
            }
            let done = match header {
                Header::Simple { error, .. } => {
                    failed = failed.or_else(|| Failure::simple(error));
                    true
                }
                Header::Chunk { .. } if !self.export.structured => {
                    return Err(NbdError::protocol("a structured reply that was not agreed on"));
                }
                Header::Chunk {
                    done, kind, length, ..
                } => {
                    match (kind, status.as_deref_mut()) {
                        (REPLY_NONE, _) if length == 0 && done => {}
                        (REPLY_BLOCK_STATUS, Some(status)) => {
                            let minimum = self.export.minimum;
                            let (context, runs) = read_status(&mut self.link, length, range.1, minimum)?;
                            self.place(status, context, runs)?;
                        }
                        (kind, _) if kind & REPLY_ERROR != 0 => {
                            let failure = Failure::read(&mut self.link, kind, length, range)?;
                            failed.get_or_insert(failure);
                        }
                        _ => return Err(unexpected(kind, length)),
                    }
                    done
                }
            };
            match (done, failed) {
                (true, Some(failure)) => return Err(failure.at(request.doing, request.offset)),
                (true, None) => return Ok(()),
                (false, still) => failed = still,
            }
        }
        Err(NbdError::protocol("a reply comes in too many chunks"))
    }

    fn place(&self, status: &mut Status, context: u32, runs: Vec<Descriptor>) -> Result<(), NbdError> {
        let place = if self.export.allocation == Some(context) {
            &mut status.allocation
        } else if self.export.bitmap == Some(context) {
            &mut status.bitmap
        } else {
            return Err(NbdError::protocol(
                "a block status of a context that was not granted",
            ));
        };
        match place.replace(runs) {
            None => Ok(()),
            Some(_) => Err(NbdError::protocol("a context's block status comes twice")),
        }
    }
}

fn short(length: usize) -> Result<u32, NbdError> {
    u32::try_from(length).map_err(|_| NbdError::protocol("a request does not fit its field"))
}
