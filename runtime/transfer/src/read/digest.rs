//! Compares each object's MD5, and hands on the parts of it that the volume needs.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

use bytes::Bytes;

use super::decode::Decoded;
use super::{Faults, Plan};
use crate::chain::Wanted;
use crate::digest::{ObjectMd5, Together};
use crate::error::TransferError;
use crate::thread::Stop;

/// Some bytes of the volume, out of that object.
pub(super) struct Part {
    pub(super) index: usize,
    pub(super) offset: u64,
    pub(super) data: Bytes,
}

pub(super) struct Digesting {
    pub(super) plan: Arc<Plan>,
    pub(super) faults: Arc<Faults>,
    pub(super) together: Together,
    pub(super) stop_at_fault: bool,
}

/// The object that is coming.
struct Coming {
    index: usize,
    position: u64,
    ranges: VecDeque<Range<u64>>,
}

impl Coming {
    fn new(index: usize, wanted: &Wanted) -> Self {
        Coming {
            index,
            position: wanted.entry.offset,
            ranges: wanted.parts.iter().cloned().collect(),
        }
    }

    /// The next bytes: what is wanted of them is handed on.
    fn take(&mut self, data: &Bytes, out: &SyncSender<Part>) -> Result<(), Stop> {
        let (begin, end) = (self.position, self.position + data.len() as u64);
        self.position = end;
        while let Some(range) = self.ranges.front() {
            let (from, until) = (range.start.max(begin), range.end.min(end));
            if from < until {
                let within = |at: u64| usize::try_from(at - begin).unwrap_or(usize::MAX);
                let part = Part {
                    index: self.index,
                    offset: from,
                    data: data.slice(within(from)..within(until)),
                };
                out.send(part).map_err(|_| Stop::Gone)?;
            }
            if range.end > end {
                break;
            }
            self.ranges.pop_front();
        }
        Ok(())
    }
}

impl Digesting {
    /// Works until the decoder is done.
    pub(super) fn run(self, input: &Receiver<Decoded>, out: &SyncSender<Part>) -> Result<(), Stop> {
        let mut coming: Option<Coming> = None;
        let mut md5 = ObjectMd5::new(&self.together);
        while let Ok(decoded) = input.recv() {
            let (Decoded::Data { index, .. } | Decoded::End { index }) = decoded;
            let wanted = self.plan.wanted.get(index).ok_or(Stop::Gone)?;
            // The one before may have broken off.
            let mut one = coming.take().filter(|one| one.index == index).unwrap_or_else(|| {
                md5.reset();
                Coming::new(index, wanted)
            });
            match decoded {
                Decoded::Data { data, .. } => {
                    md5.push(&data);
                    one.take(&data, out)?;
                    coming = Some(one);
                }
                Decoded::End { .. } => {
                    let (found, expected) = (md5.finish(), wanted.entry.md5);
                    if found != expected {
                        let (found, expected) = (hex::encode(found), hex::encode(expected));
                        let error = TransferError::ObjectAltered {
                            object: self.plan.name(index),
                            reason: format!("its MD5 is {found} instead of {expected}"),
                        };
                        self.faults.add(index, error);
                        if self.stop_at_fault {
                            return Err(Stop::Gone);
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
