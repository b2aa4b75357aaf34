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
pub struct Slabs(Arc<Mutex<Vec<Vec<u8>>>>);

impl Slabs {
    /// A buffer of so many bytes, which hold anything.
    pub fn take(&self, length: usize) -> Slab {
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
pub struct Slab {
    bytes: Vec<u8>,
    home: Slabs,
}

impl Slab {
    /// As bytes that are shared; the buffer goes back when the last of them is gone.
    pub fn freeze(self) -> Bytes {
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
}
