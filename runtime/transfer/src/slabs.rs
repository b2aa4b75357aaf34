//! Buffers that are used again and again: fresh memory has to be zeroed, and costs more than reading into it.
//!
//! Bound: [`SPARE`] buffers that nobody uses are kept. Cost: a lock per buffer taken and given back.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Buffers that are kept.
const SPARE: usize = 16;

/// Buffers, the clones of which are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slabs(Arc<Mutex<Vec<Vec<u8>>>>);

impl Slabs {
    /// A buffer of so many bytes, which hold anything.
    pub(crate) fn take(&self, length: usize) -> Slab {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut bytes = spare.unwrap_or_default();
        bytes.resize(length, 0);
        Slab {
            bytes,
            home: self.clone(),
        }
    }
}

/// One buffer; goes back when it is dropped.
#[derive(Debug)]
pub(crate) struct Slab {
    bytes: Vec<u8>,
    home: Slabs,
}

impl Slab {
    /// As bytes that are shared; the buffer goes back when the last of them is gone.
    pub(crate) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Slab {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Deref for Slab {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Slab {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        let mut spare = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE {
            spare.push(std::mem::take(&mut self.bytes));
        }
    }
}

/// Puts small pieces together: each hand-over from thread to thread costs more than copying so few bytes.
#[derive(Debug)]
pub(crate) struct Gather {
    slabs: Slabs,
    size: usize,
    slab: Option<Slab>,
    filled: usize,
}

impl Gather {
    /// Makes pieces of about that many bytes.
    pub(crate) fn new(size: usize) -> Self {
        Gather {
            slabs: Slabs::default(),
            size,
            slab: None,
            filled: 0,
        }
    }

    /// The next bytes; those that are enough now go to `out`, great ones as they are.
    pub(crate) fn push<E>(
        &mut self,
        mut data: Bytes,
        out: &mut impl FnMut(Bytes) -> Result<(), E>,
    ) -> Result<(), E> {
        while !data.is_empty() {
            if self.slab.is_none() && data.len() >= self.size / 4 {
                return out(data);
            }
            let slab = self.slab.get_or_insert_with(|| self.slabs.take(self.size));
            let part = data.split_to(data.len().min(self.size - self.filled));
            if let Some(room) = slab.get_mut(self.filled..self.filled + part.len()) {
                room.copy_from_slice(&part);
            }
            self.filled += part.len();
            if self.filled == self.size {
                self.flush(out)?;
            }
        }
        Ok(())
    }

    /// What is left.
    pub(crate) fn flush<E>(&mut self, out: &mut impl FnMut(Bytes) -> Result<(), E>) -> Result<(), E> {
        let filled = std::mem::take(&mut self.filled);
        match self.slab.take() {
            Some(slab) => out(slab.freeze().slice(..filled)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_nobody_holds_it_and_no_more_than_some_are_kept() {
        let slabs = Slabs::default();
        let mut slab = slabs.take(100);
        slab[7] = 1;
        let address = slab.as_ptr();
        let whole = slab.freeze();
        let part = whole.slice(5..10);
        drop(whole);
        assert_eq!(part[2], 1);
        assert_ne!(slabs.take(100).as_ptr(), address, "it is in use");
        drop(part);
        let many: Vec<_> = (0..3 * SPARE).map(|_| slabs.take(10)).collect();
        assert!(
            many.iter()
                .any(|slab| slab.as_ptr() == address && slab.len() == 10)
        );
        drop(many);
        assert_eq!(slabs.0.lock().unwrap().len(), SPARE);
    }

    #[test]
    fn what_is_put_together_is_what_came() {
        let mut chance = fastrand::Rng::with_seed(5);
        for most in [3, 30, 300, 3000] {
            let (mut gather, mut expected, mut pieces) = (Gather::new(100), Vec::new(), Vec::new());
            let mut out = |piece: Bytes| {
                pieces.push(piece);
                Ok::<(), ()>(())
            };
            for _ in 0..200 {
                let piece: Vec<u8> = (0..chance.usize(..most)).map(|_| chance.u8(..)).collect();
                expected.extend_from_slice(&piece);
                gather.push(piece.into(), &mut out).unwrap();
            }
            gather.flush(&mut out).unwrap();
            assert_eq!(pieces.concat(), expected);
            let small = pieces.iter().filter(|piece| piece.len() < 25).count();
            assert!(small <= 1, "{small} small pieces of {most}");
        }
    }
}
