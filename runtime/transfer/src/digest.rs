//! SHA-256 of every hash block of a volume and MD5 of every object, from pieces of any size, with zeros nearly free.
//!
//! Bound: one unfinished block's state. Cost: native SHA-256 speed on data; a whole block of zeros costs a look at it; MD5 as
//! `together` says.

mod lockstep;
mod together;

use std::collections::HashMap;

use bytes::Bytes;
use sha2::{Digest, Sha256};

pub(crate) use together::{Md5, Together};

use crate::format::{Md5Digest, Sha256Digest};

/// Source of zeros for whatever needs them as bytes.
pub(crate) static ZEROS: [u8; 1 << 20] = [0; 1 << 20];

/// Whether all bytes are zero; quick to say no.
pub(crate) fn is_zero(data: &[u8]) -> bool {
    data.chunks(1024)
        .all(|chunk| chunk.iter().fold(0, |all, byte| all | byte) == 0)
}

/// Calls `each` with slices of zeros, `count` bytes in all, until it fails.
pub(crate) fn zeros<E>(
    mut count: u64,
    mut each: impl FnMut(&'static [u8]) -> Result<(), E>,
) -> Result<(), E> {
    while count > 0 {
        let part = usize::try_from(count).unwrap_or(usize::MAX).min(ZEROS.len());
        each(ZEROS.get(..part).unwrap_or_default())?;
        count -= part as u64;
    }
    Ok(())
}

/// Feeds zeros to an MD5.
fn md5_zeros(md5: &mut Md5, count: u64) {
    let _ = zeros(count, |part| {
        md5.update(Bytes::from_static(part));
        Ok::<(), std::convert::Infallible>(())
    });
}

/// The MD5 of one object after the other. Of one that is nothing but zeros it is computed once per length: a sparse volume has
/// thousands of these.
pub(crate) struct ObjectMd5 {
    together: Together,
    md5: Md5,
    /// Zeros that the object begins with, in case that nothing else comes.
    zeros: u64,
    has_data: bool,
    of_zeros: HashMap<u64, Md5Digest>,
}

impl ObjectMd5 {
    pub(crate) fn new(together: &Together) -> Self {
        ObjectMd5 {
            together: together.clone(),
            md5: Md5::new(together),
            zeros: 0,
            has_data: false,
            of_zeros: HashMap::new(),
        }
    }

    /// The next bytes of the object.
    pub(crate) fn push(&mut self, data: &Bytes) {
        if !self.has_data && is_zero(data) {
            self.zeros += data.len() as u64;
            return;
        }
        md5_zeros(&mut self.md5, std::mem::take(&mut self.zeros));
        self.has_data = true;
        self.md5.update(data.clone());
    }

    /// The same for so many zeros.
    pub(crate) fn push_zeros(&mut self, count: u64) {
        if self.has_data {
            md5_zeros(&mut self.md5, count);
        } else {
            self.zeros += count;
        }
    }

    /// Forgets what was pushed.
    pub(crate) fn reset(&mut self) {
        (self.md5, self.zeros, self.has_data) = (Md5::new(&self.together), 0, false);
    }

    /// Ends the object; the next one begins.
    pub(crate) fn finish(&mut self) -> Md5Digest {
        let mut md5 = std::mem::replace(&mut self.md5, Md5::new(&self.together));
        let zeros = std::mem::take(&mut self.zeros);
        if std::mem::take(&mut self.has_data) {
            return md5.finish();
        }
        *self.of_zeros.entry(zeros).or_insert_with(|| {
            md5_zeros(&mut md5, zeros);
            md5.finish()
        })
    }
}

/// Cuts a volume into hash blocks and digests each.
pub(crate) struct BlockHasher {
    block: usize,
    of_zeros: Sha256Digest,
    unfinished: Sha256,
    filled: usize,
}

impl BlockHasher {
    /// For blocks of that many bytes, which is not 0.
    pub(crate) fn new(block: u32) -> Self {
        let block = usize::try_from(block.max(1)).unwrap_or(usize::MAX);
        let mut zero = Sha256::new();
        let _ = zeros(block as u64, |part| {
            zero.update(part);
            Ok::<(), std::convert::Infallible>(())
        });
        BlockHasher {
            block,
            of_zeros: zero.finalize().into(),
            unfinished: Sha256::new(),
            filled: 0,
        }
    }

    /// The next bytes of the volume; `each` gets the digests of the blocks that they complete.
    pub(crate) fn push(&mut self, mut data: &[u8], each: &mut impl FnMut(Sha256Digest)) {
        while !data.is_empty() {
            let (part, rest) = data.split_at(data.len().min(self.block - self.filled));
            if part.len() == self.block {
                each(if is_zero(part) {
                    self.of_zeros
                } else {
                    Sha256::digest(part).into()
                });
            } else {
                self.partial(part, each);
            }
            data = rest;
        }
    }

    /// As [`BlockHasher::push`] for that many zeros.
    pub(crate) fn push_zeros(&mut self, mut count: u64, each: &mut impl FnMut(Sha256Digest)) {
        let block = self.block as u64;
        while count > 0 {
            if self.filled == 0 && count >= block {
                each(self.of_zeros);
                count -= block;
                continue;
            }
            let part = count
                .min((self.block - self.filled) as u64)
                .min(ZEROS.len() as u64);
            let length = usize::try_from(part).unwrap_or(usize::MAX);
            self.partial(ZEROS.get(..length).unwrap_or_default(), each);
            count -= part;
        }
    }

    fn partial(&mut self, part: &[u8], each: &mut impl FnMut(Sha256Digest)) {
        self.unfinished.update(part);
        self.filled += part.len();
        if self.filled >= self.block {
            self.finish(each);
        }
    }

    /// The volume ends here: the last block may be short.
    pub(crate) fn finish(&mut self, each: &mut impl FnMut(Sha256Digest)) {
        if self.filled > 0 {
            self.filled = 0;
            each(self.unfinished.finalize_reset().into());
        }
    }

    /// Forgets the unfinished block.
    pub(crate) fn reset(&mut self) {
        self.filled = 0;
        Digest::reset(&mut self.unfinished);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_digests_of_zeros() {
        let expected = "c35020473aed1b4642cd726cad727b63fff2824ad68cedd7ffb73c7cbd890479";
        let mut all = Vec::new();
        let mut hasher = BlockHasher::new(32768);
        hasher.push_zeros(65536, &mut |digest| all.push(digest));
        hasher.push(&ZEROS[..32768], &mut |digest| all.push(digest));
        hasher.push(&ZEROS[..10000], &mut |digest| all.push(digest));
        hasher.push_zeros(22768, &mut |digest| all.push(digest));
        assert_eq!(all.iter().map(hex::encode).collect::<Vec<_>>(), vec![expected; 4]);
        let mut md5 = Md5::new(&Together::default());
        md5_zeros(&mut md5, 65536);
        assert_eq!(hex::encode(md5.finish()), "fcd6bcb56c1689fcef28b57c22475bad");
    }

    #[test]
    fn blocks_are_the_same_however_the_volume_comes() {
        let volume: Vec<u8> = (0..1000_usize)
            .map(|i| if i % 300 < 200 { (i * 7) as u8 } else { 0 })
            .collect();
        for block in [1, 4, 7, 100, 999, 1000, 2000] {
            let expected: Vec<Sha256Digest> = volume
                .chunks(block)
                .map(|part| Sha256::digest(part).into())
                .collect();
            for piece in [1, 3, 4, 64, 100, 1000] {
                let mut all = Vec::new();
                let mut hasher = BlockHasher::new(block as u32);
                for part in volume.chunks(piece) {
                    if is_zero(part) {
                        hasher.push_zeros(part.len() as u64, &mut |digest| all.push(digest));
                    } else {
                        hasher.push(part, &mut |digest| all.push(digest));
                    }
                }
                hasher.finish(&mut |digest| all.push(digest));
                assert_eq!(all, expected, "block {block} piece {piece}");
            }
        }
    }

    #[test]
    fn one_byte_that_is_not_zero_is_seen_anywhere() {
        let mut data = vec![0; 5000];
        assert!(is_zero(&data) && is_zero(&[]));
        for at in 0..data.len() {
            data[at] = 1;
            assert!(!is_zero(&data));
            data[at] = 0;
        }
    }
}
