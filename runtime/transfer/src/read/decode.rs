//! Decodes objects: exactly the declared length, exactly the declared MD5, nothing behind.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use bytes::Bytes;
use md5::{Digest, Md5};
use tokio::sync::mpsc;

use super::{Faults, Fetch};
use crate::codec::{Decoder, Fault};
use crate::digest::md5_end;
use crate::error::TransferError;
use crate::format::{ObjectEntry, data_name};
use crate::manifest::Manifest;
use crate::thread::Stop;

/// Some bytes of the volume, out of that object.
pub(super) struct Part {
    pub(super) number: u64,
    pub(super) offset: u64,
    pub(super) data: Bytes,
}

pub(super) struct Decoding {
    pub(super) manifest: Arc<Manifest>,
    pub(super) prefix: Arc<str>,
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
        while let Some(Fetch { number, mut body }) = fetches.blocking_recv() {
            let index = usize::try_from(number - 1).unwrap_or(usize::MAX);
            let entry = self.manifest.metadata.objects.get(index).ok_or(Stop::Gone)?;
            let object = || data_name(&self.prefix, number);
            // The fault is recorded before the reader goes: whoever writes to it then knows why it went.
            let error = match one(number, entry, &mut body, parts) {
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
                    self.faults.broke(number, reason);
                    continue;
                }
                Err(Problem::Stop(stop)) => return Err(stop),
            };
            self.faults.add(number, error);
            if self.stop_at_fault {
                return Err(Stop::Gone);
            }
        }
        Ok(())
    }
}

/// Decodes one object; gives the MD5 of what came out.
fn one(
    number: u64,
    entry: &ObjectEntry,
    body: &mut cofferdam_sandbox::stream::Reader,
    parts: &SyncSender<Part>,
) -> Result<[u8; 16], Problem> {
    let mut decoder = Decoder::new(entry.compression.format(), entry.length)?;
    let (mut md5, mut offset) = (Md5::new(), entry.offset);
    let mut emit = |data: Bytes| {
        md5.update(&data);
        let length = data.len() as u64;
        parts
            .send(Part { number, offset, data })
            .map_err(|_| Problem::Stop(Stop::Gone))?;
        offset += length;
        Ok::<(), Problem>(())
    };
    while let Some(piece) = body.blocking_next().map_err(|broken| Problem::Broken(broken.0))? {
        decoder.push(piece, &mut emit)?;
    }
    decoder.finish(&mut emit)?;
    Ok(md5_end(md5))
}
