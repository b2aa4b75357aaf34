//! What is where in an export: holes, zeros, and what changed since a bitmap began.
//!
//! A server may tell less than was asked for, so it is asked again for the rest; in the end the whole range is told, runs with
//! the same status joined. A server that knows nothing has data everywhere. One that tells its runs in crumbs is
//! listened to for a while only, and the rest is taken for data: that is always right, only slower.

use super::Client;
use super::connection::Status;
use super::error::NbdError;
use super::status::Descriptor;
use super::wire::{STATE_DIRTY, STATE_HOLE, STATE_ZERO};

/// Bytes asked for at once; many servers look no further.
const MOST_ASKED: u64 = 1 << 30;
/// Questions for one range.
const MOST_QUESTIONS: usize = 16 << 10;
/// Runs of one range, 18 MiB of them with the last reply.
const MOST_RUNS: usize = 1 << 20;

/// A run of bytes of the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Bytes, never none.
    pub length: u64,
    /// Nothing is allocated there. What it reads as is told by `zero` alone.
    pub hole: bool,
    /// It reads as zeros.
    pub zero: bool,
}

/// A run of bytes that changed, or did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dirty {
    /// Bytes, never none.
    pub length: u64,
    /// Whether they may have changed since the bitmap began.
    pub dirty: bool,
}

impl Client {
    /// The kinds of a range, in order and without gaps; the lengths sum up to `length`. All data when the server tells
    /// nothing.
    ///
    /// # Errors
    /// Those of [`Client::read_at`].
    pub fn extents(&self, offset: u64, length: u64) -> Result<Vec<Extent>, NbdError> {
        let runs = if self.pool.export().allocation.is_some() {
            self.runs(offset, length, STATE_HOLE | STATE_ZERO, 0, |status| {
                status.allocation
            })?
        } else {
            self.all(offset, length, 0)?
        };
        let extent = |run: Descriptor| Extent {
            length: run.length,
            hole: run.flags & STATE_HOLE != 0,
            zero: run.flags & STATE_ZERO != 0,
        };
        Ok(runs.into_iter().map(extent).collect())
    }

    /// What the bitmap of [`Options::bitmap`](super::Options::bitmap) tells of a range, in order and without gaps. All dirty
    /// when none was asked for.
    ///
    /// # Errors
    /// Those of [`Client::read_at`].
    pub fn dirty(&self, offset: u64, length: u64) -> Result<Vec<Dirty>, NbdError> {
        let runs = if self.pool.export().bitmap.is_some() {
            self.runs(offset, length, STATE_DIRTY, STATE_DIRTY, |status| status.bitmap)?
        } else {
            self.all(offset, length, STATE_DIRTY)?
        };
        let dirty = |run: Descriptor| Dirty {
            length: run.length,
            dirty: run.flags & STATE_DIRTY != 0,
        };
        Ok(runs.into_iter().map(dirty).collect())
    }

    fn all(&self, offset: u64, length: u64, flags: u32) -> Result<Vec<Descriptor>, NbdError> {
        self.check(offset, length)?;
        let mut runs = Vec::new();
        push(&mut runs, Descriptor { length, flags });
        Ok(runs)
    }

    /// Runs of a range by the flags of `mask`; what is not told has those of `unknown`.
    fn runs(
        &self,
        offset: u64,
        length: u64,
        mask: u32,
        unknown: u32,
        choose: fn(Status) -> Option<Vec<Descriptor>>,
    ) -> Result<Vec<Descriptor>, NbdError> {
        self.check(offset, length)?;
        let block = u64::from(self.minimum_block());
        let end = offset + length;
        let mut runs = Vec::new();
        let mut next = offset;
        for _ in 0..MOST_QUESTIONS {
            if next >= end || runs.len() >= MOST_RUNS {
                break;
            }
            // Whole blocks around what is wanted; the export ends with one.
            let start = next - next % block;
            let asked = (end.next_multiple_of(block) - start).min(MOST_ASKED);
            let asked = u32::try_from(asked).unwrap_or(u32::MAX);
            let told = self.pool.run(|connection| connection.status(start, asked))?;
            let mut at = start;
            for run in choose(told).unwrap_or_default() {
                let until = (at + run.length).min(end);
                let length = until.saturating_sub(next);
                push(
                    &mut runs,
                    Descriptor {
                        length,
                        flags: run.flags & mask,
                    },
                );
                next += length;
                at += run.length;
            }
        }
        push(
            &mut runs,
            Descriptor {
                length: end.saturating_sub(next),
                flags: unknown,
            },
        );
        Ok(runs)
    }
}

fn push(runs: &mut Vec<Descriptor>, run: Descriptor) {
    match runs.last_mut() {
        _ if run.length == 0 => {}
        Some(last) if last.flags == run.flags => last.length += run.length,
        _ => runs.push(run),
    }
}
