//! Which parts of which objects make up the volume: of every block only its newest generation.
//!
//! Problem: Cinder restores a chain by writing all of the full backup, then all of each incremental one over it. Here the
//! newest generation takes what it has, the next one what is left, and so on: every byte of the volume is decoded
//! out of exactly one object and written once, and objects of which nothing is left are not fetched at all.
//! Cost: one pass over the entries of each generation, in memory of the size of the answer.

use std::ops::Range;

use crate::format::ObjectEntry;
use crate::manifest::Manifest;

/// An object that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Its generation in the manifest.
    pub(crate) generation: usize,
    /// Its number, counted from 1.
    pub(crate) number: u64,
    pub(crate) entry: ObjectEntry,
    /// The bytes of the volume that it is needed for, in order.
    pub(crate) parts: Vec<Range<u64>>,
}

/// The objects that are needed, the oldest generation first.
pub(crate) fn plan(manifest: &Manifest) -> Vec<Wanted> {
    let generations = manifest
        .generations
        .iter()
        .map(|generation| &generation.metadata.objects[..]);
    objects(generations)
}

fn objects<'a>(generations: impl Iterator<Item = &'a [ObjectEntry]>) -> Vec<Wanted> {
    // Ranges that newer generations have: in order, none touching another.
    let (mut taken, mut all): (Vec<Range<u64>>, Vec<Vec<Wanted>>) = (Vec::new(), Vec::new());
    for (generation, entries) in generations.enumerate() {
        let mut wanted = Vec::new();
        let mut newer = taken.iter().peekable();
        for (number, entry) in (1_u64..).zip(entries) {
            let (mut from, until) = (entry.offset, entry.offset + entry.length);
            let mut parts = Vec::new();
            while from < until {
                match newer.peek() {
                    Some(range) if range.end <= from => {
                        newer.next();
                    }
                    Some(range) if range.start <= from => from = range.end,
                    Some(range) if range.start < until => {
                        parts.push(from..range.start);
                        from = range.end;
                    }
                    _ => {
                        parts.push(from..until);
                        from = until;
                    }
                }
            }
            if !parts.is_empty() {
                wanted.push(Wanted {
                    generation,
                    number,
                    entry: *entry,
                    parts,
                });
            }
        }
        taken = merged(
            &taken,
            wanted.iter().flat_map(|wanted| wanted.parts.iter().cloned()),
        );
        all.push(wanted);
    }
    all.into_iter().rev().flatten().collect()
}

/// Two lists of ranges, each in order, as one; those that touch become one.
fn merged(first: &[Range<u64>], second: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut all: Vec<Range<u64>> = first.iter().cloned().chain(second).collect();
    all.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<u64>> = Vec::with_capacity(all.len());
    for range in all {
        match merged.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Tag;

    fn entries(ranges: &[(u64, u64)]) -> Vec<ObjectEntry> {
        let entry = |(offset, length): &(u64, u64)| ObjectEntry {
            compression: Tag::NONE,
            length: *length,
            md5: [0; 16],
            offset: *offset,
        };
        ranges.iter().map(entry).collect()
    }

    #[test]
    fn each_byte_comes_from_its_newest_generation_and_idle_objects_are_left_out() {
        let newest = entries(&[(4, 4), (12, 2)]);
        let middle = entries(&[(0, 6), (12, 2), (16, 4)]);
        let full = entries(&[(0, 8), (8, 8), (16, 4)]);
        let plan = objects([&newest[..], &middle, &full].into_iter());
        let text = |wanted: &Wanted| format!("{}.{} {:?}", wanted.generation, wanted.number, wanted.parts);
        assert_eq!(
            plan.iter().map(text).collect::<Vec<_>>(),
            [
                "2.2 [8..12, 14..16]",
                "1.1 [0..4]",
                "1.3 [16..20]",
                "0.1 [4..8]",
                "0.2 [12..14]"
            ]
        );
    }

    #[test]
    fn random_chains_make_up_the_whole_volume_exactly_once() {
        let mut chance = fastrand::Rng::with_seed(5);
        for _ in 0..2000 {
            let size = chance.u64(1..60);
            let cut = |chance: &mut fastrand::Rng, all: bool| {
                let (mut at, mut ranges) = (0, Vec::new());
                while at < size {
                    let length = chance.u64(1..=(size - at).min(9));
                    if all || chance.bool() {
                        ranges.push((at, length));
                    }
                    at += length;
                }
                entries(&ranges)
            };
            let count = chance.usize(0..5);
            let mut generations: Vec<_> = (0..count).map(|_| cut(&mut chance, false)).collect();
            generations.push(cut(&mut chance, true));
            let mut owner = vec![None; size as usize];
            for (index, generation) in generations.iter().enumerate().rev() {
                for entry in generation {
                    owner[entry.offset as usize..(entry.offset + entry.length) as usize].fill(Some(index));
                }
            }
            let mut seen = vec![None; size as usize];
            for wanted in objects(generations.iter().map(|entries| &entries[..])) {
                for byte in wanted.parts.into_iter().flatten() {
                    assert_eq!(seen[byte as usize].replace(wanted.generation), None, "twice");
                }
            }
            assert_eq!(seen, owner);
        }
    }
}
