//! SHA-256 as a value: what a driver is known and pinned by.

use std::fmt;
use std::io::Read;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::error::DistributionError;

/// A SHA-256. Shown as 64 hexadecimal digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256Digest([u8; 32]);

impl Sha256Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest and the number of everything that the reader gives.
    pub(crate) fn read(reader: &mut impl Read) -> std::io::Result<(Self, u64)> {
        let mut hasher = Hasher::default();
        let mut piece = vec![0; 256 << 10];
        let mut size = 0;
        loop {
            let count = reader.read(&mut piece)?;
            let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else {
                return Ok((hasher.finish(), size));
            };
            hasher.update(read);
            size += count as u64;
        }
    }
}

/// A digest in the making.
#[derive(Default)]
pub(crate) struct Hasher(Sha256);

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> Sha256Digest {
        Sha256Digest(self.0.finalize().into())
    }
}

impl fmt::Display for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{self}")
    }
}

impl FromStr for Sha256Digest {
    type Err = DistributionError;

    /// 64 hexadecimal digits, with or without `sha256:` before them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes)
            .map(|()| Self(bytes))
            .map_err(|_| DistributionError::NoDigest(crate::error::shown(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_digest_is_read_as_it_is_written_with_or_without_its_algorithm() {
        let digest = Sha256Digest::of(b"");
        assert_eq!(digest.to_string(), EMPTY);
        assert_eq!(EMPTY.parse::<Sha256Digest>().unwrap(), digest);
        assert_eq!(format!("{digest:?}").parse::<Sha256Digest>().unwrap(), digest);
        assert_eq!(EMPTY.to_uppercase().parse::<Sha256Digest>().unwrap(), digest);
    }

    #[test]
    fn other_algorithms_and_lengths_are_no_digests() {
        for text in [
            "",
            "sha256:",
            "sha512:00",
            &EMPTY[1..],
            &format!("{EMPTY}0"),
            &format!("md5:{EMPTY}"),
        ] {
            assert!(text.parse::<Sha256Digest>().is_err(), "{text}");
        }
    }
}
