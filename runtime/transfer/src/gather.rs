//! Small pieces on their way, put together.

use bytes::Bytes;
use cofferdam_sandbox::slabs::{Slab, Slabs};

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
