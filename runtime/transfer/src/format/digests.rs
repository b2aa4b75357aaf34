//! The digests of a volume's hash blocks, in order; a run of the same one is kept once.
//!
//! Why: a volume of 1 TiB has 33 million blocks, which would take 1 GiB, and most of a great volume is zeros. Bound: 40
//! bytes for each block that differs from the one before it. Cost: a binary search to look one up.

use std::ops::Range;

use super::Sha256Digest;

/// Digests by the number of their block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digests {
    /// Of each run the number of the block behind it.
    ends: Vec<u64>,
    digests: Vec<Sha256Digest>,
}

impl Digests {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Blocks in all.
    pub fn len(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// One more block.
    pub fn push(&mut self, digest: Sha256Digest) {
        self.push_run(digest, 1);
    }

    /// So many more blocks of the same content.
    pub fn push_run(&mut self, digest: Sha256Digest, count: u64) {
        if count == 0 {
            return;
        }
        let end = self.len().saturating_add(count);
        if let (Some(last), Some(known)) = (self.ends.last_mut(), self.digests.last())
            && *known == digest
        {
            *last = end;
            return;
        }
        self.ends.push(end);
        self.digests.push(digest);
    }

    /// The digest of a block.
    pub fn get(&self, block: u64) -> Option<&Sha256Digest> {
        self.digests.get(self.run_of(block))
    }

    /// Runs of the same digest, and how many blocks each has.
    pub fn runs(&self) -> impl Iterator<Item = (u64, &Sha256Digest)> {
        self.runs_within(0..self.len())
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Sha256Digest> {
        self.iter_from(0)
    }

    /// Those from a block on.
    pub fn iter_from(&self, block: u64) -> impl Iterator<Item = &Sha256Digest> {
        self.runs_within(block..self.len())
            .flat_map(|(count, digest)| (0..count).map(move |_| digest))
    }

    /// Adds others behind these.
    pub fn append(&mut self, other: &Digests) {
        self.append_within(other, 0..other.len());
    }

    /// Adds those of some blocks of others behind these.
    pub fn append_within(&mut self, other: &Digests, blocks: Range<u64>) {
        for (count, digest) in other.runs_within(blocks) {
            self.push_run(*digest, count);
        }
    }

    /// The run that the block is in.
    fn run_of(&self, block: u64) -> usize {
        self.ends.partition_point(|end| *end <= block)
    }

    fn runs_within(&self, blocks: Range<u64>) -> impl Iterator<Item = (u64, &Sha256Digest)> {
        let first = self.run_of(blocks.start);
        let mut at = blocks.start;
        let runs = self.ends.iter().zip(&self.digests).skip(first);
        runs.map_while(move |(end, digest)| {
            let until = (*end).min(blocks.end);
            let count = until.checked_sub(at).filter(|count| *count > 0)?;
            at = until;
            Some((count, digest))
        })
    }
}

impl Extend<Sha256Digest> for Digests {
    fn extend<I: IntoIterator<Item = Sha256Digest>>(&mut self, digests: I) {
        digests.into_iter().for_each(|digest| self.push(digest));
    }
}

impl FromIterator<Sha256Digest> for Digests {
    fn from_iter<I: IntoIterator<Item = Sha256Digest>>(digests: I) -> Self {
        let mut all = Digests::new();
        all.extend(digests);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_answer_as_a_plain_list_would() {
        let mut chance = fastrand::Rng::with_seed(5);
        for _ in 0..200 {
            let count = chance.usize(..40);
            let plain: Vec<Sha256Digest> = (0..count).map(|_| [chance.u8(..3); 32]).collect();
            let runs: Digests = plain.iter().copied().collect();
            assert_eq!(runs.len(), plain.len() as u64);
            assert!(runs.iter().eq(&plain));
            for block in 0..count + 2 {
                assert_eq!(runs.get(block as u64), plain.get(block));
                assert!(
                    runs.iter_from(block as u64)
                        .eq(plain.get(block..).unwrap_or_default())
                );
            }
            let (from, until) = (chance.usize(..=count), chance.usize(..=count));
            let mut some = runs.clone();
            some.append_within(&runs, from as u64..until as u64);
            let expected = [&plain[..], plain.get(from..until).unwrap_or_default()].concat();
            assert!(some.iter().eq(&expected), "{from}..{until} of {count}");
            assert_eq!(some, expected.into_iter().collect());
        }
    }
}
