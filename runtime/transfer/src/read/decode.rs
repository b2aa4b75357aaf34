//! Decodes objects: exactly the declared length, nothing behind.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use bytes::Bytes;
use cofferdam_sandbox::stream::Reader;
use tokio::sync::mpsc;

use super::{Faults, Fetch, Plan};
use crate::codec::{Decoder, Fault};
use crate::error::TransferError;
use crate::format::ObjectEntry;
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
        while let Some(Fetch { index, mut body }) = fetches.blocking_recv() {
            let wanted = self.plan.wanted.get(index).ok_or(Stop::Gone)?;
            let object = || self.plan.name(index);
            // The fault is recorded before the reader goes: whoever writes to it then knows why it went.
            let error = match one(index, &wanted.entry, &mut body, out) {
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

/// Decodes one object.
fn one(
    index: usize,
    entry: &ObjectEntry,
    body: &mut Reader,
    out: &SyncSender<Decoded>,
) -> Result<(), Problem> {
    let mut decoder = Decoder::new(entry.compression.format(), entry.length)?;
    let mut emit = |data: Bytes| {
        let decoded = Decoded::Data { index, data };
        out.send(decoded).map_err(|_| Problem::Stop(Stop::Gone))
    };
    while let Some(piece) = body.blocking_next().map_err(|broken| Problem::Broken(broken.0))? {
        decoder.push(piece, &mut emit)?;
    }
    decoder.finish(&mut emit)
}
