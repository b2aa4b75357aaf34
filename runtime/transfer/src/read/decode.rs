//! Decodes objects: exactly the declared length, nothing behind.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use bytes::Bytes;
use cofferdam_sandbox::stream::Reader;
use tokio::sync::mpsc;

use super::{Faults, Fetch, Plan};
use crate::codec::{Decoder, Fault, Format};
use crate::digest::{is_zero, zeros};
use crate::error::TransferError;
use crate::format::ObjectEntry;
use crate::gather::Gather;
use crate::thread::Stop;

/// What an object decodes to, in order; then its end, when it came to one.
pub(super) enum Decoded {
    Data { index: usize, data: Bytes },
    End { index: usize },
}

pub(super) struct Decoding {
    pub(super) plan: Arc<Plan>,
    pub(super) faults: Arc<Faults>,
    pub(super) stop_at_fault: bool,
}

/// Why an object did not come through.
enum Problem {
    Fault(Fault),
    Broken(String),
    Stop(Stop),
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Problem::Fault(fault)
    }
}

impl Decoding {
    pub(super) fn run(
        self,
        mut fetches: mpsc::Receiver<Fetch>,
        out: &SyncSender<Decoded>,
    ) -> Result<(), Stop> {
        let mut blank = None;
        while let Some(Fetch { index, mut body }) = fetches.blocking_recv() {
            let wanted = self.plan.wanted.get(index).ok_or(Stop::Gone)?;
            let object = || self.plan.name(index);
            // The fault is recorded before the reader goes: whoever writes to it then knows why it went.
            let error = match one(index, &wanted.entry, &mut body, &mut blank, out) {
                Ok(()) => {
                    out.send(Decoded::End { index }).map_err(|_| Stop::Gone)?;
                    continue;
                }
                Err(Problem::Fault(Fault::Truncated(reason))) => TransferError::ObjectTruncated {
                    object: object(),
                    reason,
                },
                Err(Problem::Fault(Fault::TooLong(reason))) => TransferError::ObjectAltered {
                    object: object(),
                    reason,
                },
                Err(Problem::Broken(reason)) => {
                    self.faults.broke(index, reason);
                    continue;
                }
                Err(Problem::Stop(stop)) => return Err(stop),
            };
            self.faults.add(index, error);
            if self.stop_at_fault {
                return Err(Stop::Gone);
            }
        }
        Ok(())
    }
}

/// An object of nothing but zeros, as it was stored. The next one that is stored the same holds the same and is not decoded: a
/// sparse volume has thousands of these.
struct Blank {
    format: Format,
    length: u64,
    stored: Vec<u8>,
}

/// Bytes of the longest that is remembered; zlib makes 2 MB of 2 GB of zeros.
const MOST_STORED: usize = 4 << 20;

/// Bytes that are handed on at once; a driver may give far less.
const PIECE: usize = 1 << 20;

/// Decodes one object.
fn one(
    index: usize,
    entry: &ObjectEntry,
    body: &mut Reader,
    blank: &mut Option<Blank>,
    out: &SyncSender<Decoded>,
) -> Result<(), Problem> {
    let (format, length) = (entry.compression.format(), entry.length);
    let mut next = || body.blocking_next().map_err(|broken| Problem::Broken(broken.0));
    let only_zeros = Cell::new(true);
    let mut send = |data: Bytes| {
        only_zeros.set(only_zeros.get() && is_zero(&data));
        let decoded = Decoded::Data { index, data };
        out.send(decoded).map_err(|_| Problem::Stop(Stop::Gone))
    };
    // As long as it is what is known, it is held.
    let mut held = Vec::new();
    if let Some(known) = blank
        .as_ref()
        .filter(|blank| blank.format == format && blank.length == length)
    {
        let mut rest = known.stored.as_slice();
        while let Some(piece) = next()? {
            let after = rest.strip_prefix(&piece[..]);
            held.push(piece);
            match after {
                Some(after) => rest = after,
                None => break,
            }
        }
        if rest.is_empty() && held.iter().map(Bytes::len).sum::<usize>() == known.stored.len() {
            return zeros(length, |part| send(Bytes::from_static(part)));
        }
    }
    let mut gather = Gather::new(PIECE);
    let mut emit = |data: Bytes| gather.push(data, &mut send);
    let mut decoder = Decoder::new(format, length)?;
    let mut stored = (format != Format::None).then(Vec::new);
    let mut held = held.into_iter();
    while let Some(piece) = held.next().map_or_else(&mut next, |piece| Ok(Some(piece)))? {
        stored = stored.filter(|stored| only_zeros.get() && stored.len() + piece.len() <= MOST_STORED);
        if let Some(stored) = &mut stored {
            stored.extend_from_slice(&piece);
        }
        decoder.push(piece, &mut emit)?;
    }
    decoder.finish(&mut emit)?;
    gather.flush(&mut send)?;
    if let Some(stored) = stored.filter(|_| only_zeros.get()) {
        *blank = Some(Blank {
            format,
            length,
            stored,
        });
    }
    Ok(())
}
