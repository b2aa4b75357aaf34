//! Decodes objects: exactly the declared length, exactly the declared MD5, nothing behind.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use bytes::Bytes;
use md5::{Digest, Md5};
use tokio::sync::mpsc;

use super::{Faults, Fetch, Plan};
use crate::chain::Wanted;
use crate::codec::{Decoder, Fault};
use crate::digest::md5_end;
use crate::error::TransferError;
use crate::thread::Stop;

/// Some bytes of the volume, out of that object.
pub(super) struct Part {
    pub(super) index: usize,
    pub(super) offset: u64,
    pub(super) data: Bytes,
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
        parts: &SyncSender<Part>,
    ) -> Result<(), Stop> {
        while let Some(Fetch { index, mut body }) = fetches.blocking_recv() {
            let wanted = self.plan.wanted.get(index).ok_or(Stop::Gone)?;
            let entry = &wanted.entry;
            let object = || self.plan.name(index);
            // The fault is recorded before the reader goes: whoever writes to it then knows why it went.
            let error = match one(index, wanted, &mut body, parts) {
                Ok(md5) if md5 == entry.md5 => continue,
                Ok(md5) => TransferError::ObjectAltered {
                    object: object(),
                    reason: format!(
                        "its MD5 is {} instead of {}",
                        hex::encode(md5),
                        hex::encode(entry.md5)
                    ),
                },
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

/// Decodes one object and hands on the parts that are wanted; gives the MD5 of all that came out.
fn one(
    index: usize,
    wanted: &Wanted,
    body: &mut cofferdam_sandbox::stream::Reader,
    parts: &SyncSender<Part>,
) -> Result<[u8; 16], Problem> {
    let entry = &wanted.entry;
    let mut decoder = Decoder::new(entry.compression.format(), entry.length)?;
    let (mut md5, mut position) = (Md5::new(), entry.offset);
    let mut ranges = wanted.parts.iter().peekable();
    let mut emit = |data: Bytes| {
        md5.update(&data);
        let (begin, end) = (position, position + data.len() as u64);
        position = end;
        while let Some(range) = ranges.peek() {
            let (from, until) = (range.start.max(begin), range.end.min(end));
            if from < until {
                let within = |at: u64| usize::try_from(at - begin).unwrap_or(usize::MAX);
                let data = data.slice(within(from)..within(until));
                let part = Part {
                    index,
                    offset: from,
                    data,
                };
                parts.send(part).map_err(|_| Problem::Stop(Stop::Gone))?;
            }
            if range.end > end {
                break;
            }
            ranges.next();
        }
        Ok::<(), Problem>(())
    };
    while let Some(piece) = body.blocking_next().map_err(|broken| Problem::Broken(broken.0))? {
        decoder.push(piece, &mut emit)?;
    }
    decoder.finish(&mut emit)?;
    Ok(md5_end(md5))
}
