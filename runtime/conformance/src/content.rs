//! Bytes to put and to compare with, made from a seed: no object is ever held whole.

use bytes::Bytes;
use cofferdam_sandbox::contract::{BodyInfo, BodyNeeds};
use md5::{Digest, Md5};
use sha2::Sha256;

/// Bytes of one piece: no multiple of what anyone else counts in.
const PIECE: u64 = 200_003;

/// So many bytes that a seed makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content {
    seed: u64,
    pub(crate) size: u64,
}

impl Content {
    pub(crate) fn new(seed: u64, size: u64) -> Self {
        Content { seed, size }
    }

    /// Its bytes, in pieces.
    pub(crate) fn pieces(self) -> impl Iterator<Item = Bytes> + Send {
        (0..self.size.div_ceil(PIECE)).map(move |number| {
            let length = PIECE.min(self.size - number * PIECE);
            let mut piece = vec![0; usize::try_from(length).unwrap_or_default()];
            fastrand::Rng::with_seed(self.seed.wrapping_mul(0x9e37_79b9).wrapping_add(number))
                .fill(&mut piece);
            Bytes::from(piece)
        })
    }

    /// All of them at once.
    pub(crate) fn bytes(self) -> Vec<u8> {
        self.pieces().flatten().collect()
    }

    /// Looks at what comes out of a get, piece by piece.
    pub(crate) fn comparer(self) -> Comparer {
        Comparer {
            pieces: Box::new(self.pieces()),
            rest: Bytes::new(),
            right: 0,
            wrong: false,
        }
    }
}

/// Compares what comes with what was put.
pub(crate) struct Comparer {
    pieces: Box<dyn Iterator<Item = Bytes> + Send>,
    rest: Bytes,
    /// Bytes that were right before the first wrong one.
    pub(crate) right: u64,
    wrong: bool,
}

impl Comparer {
    /// Takes the next piece.
    pub(crate) fn take(&mut self, mut came: Bytes) {
        while !self.wrong && !came.is_empty() {
            if self.rest.is_empty() {
                match self.pieces.next() {
                    Some(piece) => self.rest = piece,
                    None => break,
                }
            }
            let length = came.len().min(self.rest.len());
            self.wrong = came.split_to(length) != self.rest.split_to(length);
            self.right += if self.wrong { 0 } else { length as u64 };
        }
        self.wrong |= !came.is_empty();
    }

    /// Whether all of it came, and nothing else.
    pub(crate) fn is_whole(&mut self) -> bool {
        !self.wrong && self.rest.is_empty() && self.pieces.next().is_none()
    }
}

/// What a driver that asks for `needs` is told of a body: that and nothing more.
pub(crate) fn info(needs: BodyNeeds, pieces: impl IntoIterator<Item = Bytes>) -> BodyInfo {
    let (mut size, mut md5, mut sha256, mut crc32c) = (0, Md5::new(), Sha256::new(), 0);
    if needs != BodyNeeds::empty() {
        for piece in pieces {
            size += piece.len() as u64;
            if needs.contains(BodyNeeds::MD5) {
                md5.update(&piece);
            }
            if needs.contains(BodyNeeds::SHA256) {
                sha256.update(&piece);
            }
            if needs.contains(BodyNeeds::CRC32C) {
                crc32c = crc32c::crc32c_append(crc32c, &piece);
            }
        }
    }
    BodyInfo {
        size: needs.contains(BodyNeeds::SIZE).then_some(size),
        md5: needs
            .contains(BodyNeeds::MD5)
            .then(|| hex::encode(md5.finalize())),
        sha256: needs
            .contains(BodyNeeds::SHA256)
            .then(|| hex::encode(sha256.finalize())),
        crc32c: needs.contains(BodyNeeds::CRC32C).then_some(crc32c),
    }
}

/// A body that is put: its pieces, and how it ends.
pub(crate) struct Source {
    pub(crate) pieces: Box<dyn Iterator<Item = Bytes> + Send>,
    pub(crate) ending: Ending,
}

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It is whole.
    Finished,
    /// Whoever reads the volume says that it failed.
    Failed,
    /// Whoever reads the volume went away without a word.
    Dropped,
    /// It neither ends nor goes on.
    Stalled,
}

impl Source {
    /// All of it.
    pub(crate) fn whole(content: Content) -> Self {
        Source {
            pieces: Box::new(content.pieces()),
            ending: Ending::Finished,
        }
    }

    /// Its first bytes, and then the ending.
    pub(crate) fn cut(content: Content, size: u64, ending: Ending) -> Self {
        let mut left = size;
        let pieces = content.pieces().map_while(move |mut piece| {
            piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            left -= piece.len() as u64;
            (!piece.is_empty()).then_some(piece)
        });
        Source {
            pieces: Box::new(pieces),
            ending,
        }
    }

    /// These bytes.
    pub(crate) fn bytes(bytes: &[u8]) -> Self {
        Source {
            pieces: Box::new(std::iter::once(Bytes::copy_from_slice(bytes))),
            ending: Ending::Finished,
        }
    }
}

/// A number that differs for each name, for seeds.
pub(crate) fn seed_of(seed: u64, name: &str) -> u64 {
    name.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
