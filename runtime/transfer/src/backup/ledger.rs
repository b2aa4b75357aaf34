//! What has become of each object: made by one thread, stored by another, and done when it is both.
//!
//! Problem: an object's entry and digests are known when its last byte was compressed, that it is durable when its put has
//! ended, and neither comes first always. Here both meet. What is done goes into the journal, if there is one, so that
//! a killed backup can go on. Bound: the digests of the volume, about 1 MiB per GiB of data.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::journal::{Done, Journal};
use super::layout::Span;
use crate::error::TransferError;
use crate::format::{Digests, ObjectEntry};

/// What is known of an object that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Made {
    /// Its line in the metadata.
    pub(super) entry: ObjectEntry,
    /// Of its hash blocks, in order.
    pub(super) digests: Digests,
    /// Bytes of it that are holes or zeros.
    pub(super) zeros: u64,
}

#[derive(Default)]
struct Row {
    made: Option<Made>,
    stored: Option<u64>,
}

impl Row {
    fn is_done(&self) -> bool {
        self.made.is_some() && self.stored.is_some()
    }
}

struct Rows {
    rows: BTreeMap<u64, Row>,
    journal: Option<Journal>,
}

/// All objects of one backup by their numbers.
pub(super) struct Ledger(Mutex<Rows>);

impl Ledger {
    /// A ledger that begins with what an earlier life has done.
    pub(super) fn new(journal: Option<Journal>, done: Vec<Done>) -> Self {
        let row = |done: Done| {
            let row = Row {
                made: Some(done.made),
                stored: Some(done.stored),
            };
            (done.number, row)
        };
        let rows = done.into_iter().map(row).collect();
        Ledger(Mutex::new(Rows { rows, journal }))
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing is left to do for the object.
    pub(super) fn has(&self, number: u64) -> bool {
        self.rows().rows.get(&number).is_some_and(Row::is_done)
    }

    /// Of these objects, forgets those that are not done; gives the bytes of volume of the others, and how many of them are
    /// zeros.
    pub(super) fn forget_unfinished(&self, numbers: impl Iterator<Item = u64>) -> (u64, u64) {
        let rows = &mut self.rows().rows;
        let (mut bytes, mut zeros) = (0, 0);
        for number in numbers {
            match rows.get(&number) {
                Some(row) if row.is_done() => {
                    if let Some(made) = &row.made {
                        bytes += made.entry.length;
                        zeros += made.zeros;
                    }
                }
                _ => drop(rows.remove(&number)),
            }
        }
        (bytes, zeros)
    }

    /// Whether what is done is of these pieces of the volume, the first of which has the number 1.
    pub(super) fn fits(&self, spans: &[Span]) -> bool {
        let fits = |(number, row): (&u64, &Row)| {
            let index = usize::try_from(*number).ok()?.checked_sub(1)?;
            let entry = row.made.as_ref()?.entry;
            let span = Span {
                offset: entry.offset,
                length: entry.length,
            };
            (spans.get(index) == Some(&span)).then_some(())
        };
        self.rows().rows.iter().all(|row| fits(row).is_some())
    }

    /// Its last byte has been made.
    pub(super) fn made(&self, number: u64, made: Made) {
        self.rows().update(number, |row| row.made = Some(made));
    }

    /// So many bytes of it are durable on the storage.
    pub(super) fn stored(&self, number: u64, bytes: u64) {
        self.rows().update(number, |row| row.stored = Some(bytes));
    }

    /// Entries and digests of the objects 1 to `count`, once all of them are done.
    pub(super) fn close(&self, count: usize) -> Result<(Vec<ObjectEntry>, Digests), TransferError> {
        let rows = std::mem::take(&mut self.rows().rows);
        let (mut entries, mut digests) = (Vec::with_capacity(count), Digests::new());
        for (expected, (number, row)) in (1..).zip(rows) {
            match row {
                Row {
                    made: Some(made),
                    stored: Some(_),
                } if number == expected => {
                    entries.push(made.entry);
                    digests.append(&made.digests);
                }
                _ => {
                    return Err(TransferError::internal(format!(
                        "object {expected} was not finished"
                    )));
                }
            }
        }
        if entries.len() != count {
            let made = entries.len();
            return Err(TransferError::internal(format!(
                "{made} objects of {count} were made"
            )));
        }
        Ok((entries, digests))
    }
}

impl Rows {
    fn update(&mut self, number: u64, update: impl FnOnce(&mut Row)) {
        let row = self.rows.entry(number).or_default();
        update(row);
        let (Some(made), Some(stored)) = (&row.made, row.stored) else {
            return;
        };
        if let Some(journal) = &mut self.journal
            && let Err(error) = journal.append(number, made, stored)
        {
            tracing::warn!(%error, "the journal of a backup cannot be written; should it be killed now, it will begin anew");
            self.journal = None;
        }
    }
}
