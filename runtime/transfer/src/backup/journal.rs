//! What a backup has done so far, on the local disk, so that one that was killed goes on behind its last durable object.
//!
//! One line for what the backup is, then one for each object that is durable on the storage; each line begins with its
//! CRC-32C, and the first that is wrong or torn ends what is believed. A journal is used again only for the very same
//! backup of the very same volume: its file has the inode, size and times of change that it had ([`Identity`]). A device
//! has no such times, so its backup begins anew. Nothing is synced: a line that a power cut swallows costs one object's
//! work. Cost: about 2 MiB per GiB of volume that is not zeros.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ledger::Made;
use crate::format::{Md5Digest, ObjectEntry, Sha256Digest};
use crate::volume::Identity;

/// Bytes of the longest line: the digests of an object of 400 GiB.
const MAX_LINE: u64 = 1 << 30;

const VERSION: u32 = 1;

/// Which backup a journal is of, of which volume in which state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Opening {
    pub(super) version: u32,
    pub(super) backup: String,
    pub(super) parent: Option<String>,
    pub(super) container: String,
    pub(super) prefix: String,
    pub(super) object_size: u64,
    pub(super) block_size: u32,
    pub(super) algorithm: String,
    pub(super) source: Identity,
}

impl Opening {
    pub(super) const VERSION: u32 = VERSION;
}

/// An object that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) number: u64,
    pub(super) made: Made,
    /// Bytes of it on the storage.
    pub(super) stored: u64,
}

/// As a line holds it. A digest that comes several times in a row is there once, with its count.
#[derive(Serialize, Deserialize)]
struct Line {
    number: u64,
    offset: u64,
    length: u64,
    compression: String,
    md5: String,
    zeros: u64,
    stored: u64,
    digests: Vec<(u64, String)>,
}

/// The journal of a backup under way.
pub(super) struct Journal {
    file: File,
}

impl Journal {
    /// Opens the journal of a backup, made if it is missing; gives what an earlier life of the same backup has done.
    pub(super) fn open(path: &Path, opening: &Opening) -> io::Result<(Self, Vec<Done>)> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        let mut lines = Lines::new(BufReader::new(&file));
        let before: Option<Opening> = lines.next_line()?;
        let mut done = Vec::new();
        if before.as_ref() == Some(opening) {
            while let Some(object) = lines.next_line()?.and_then(Line::read) {
                done.push(object);
            }
        }
        let sound = if done.is_empty() { 0 } else { lines.sound };
        file.set_len(sound)?;
        file.seek(SeekFrom::Start(sound))?;
        let mut journal = Journal { file };
        if sound == 0 {
            journal.line(opening)?;
        }
        Ok((journal, done))
    }

    /// One more object is done.
    pub(super) fn append(&mut self, number: u64, made: &Made, stored: u64) -> io::Result<()> {
        self.line(&Line::write(number, made, stored))
    }

    fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_vec(value)?;
        let mut line = format!("{:08x} ", crc32c::crc32c(&text)).into_bytes();
        line.extend(text);
        line.push(b'\n');
        self.file.write_all(&line)
    }
}

/// Reads lines as long as they are sound.
struct Lines<R> {
    input: R,
    /// Where the last sound line ended.
    sound: u64,
}

impl<R: BufRead> Lines<R> {
    fn new(input: R) -> Self {
        Lines { input, sound: 0 }
    }

    fn next_line<T: for<'a> Deserialize<'a>>(&mut self) -> io::Result<Option<T>> {
        let mut line = Vec::new();
        self.input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
        let parsed = parse(&line);
        if parsed.is_some() {
            self.sound += line.len() as u64;
        }
        Ok(parsed)
    }
}

fn parse<T: for<'a> Deserialize<'a>>(line: &[u8]) -> Option<T> {
    let (sum, text) = line.strip_suffix(b"\n")?.split_at_checked(9)?;
    let sum = std::str::from_utf8(sum).ok()?.strip_suffix(' ')?;
    if u32::from_str_radix(sum, 16).ok()? != crc32c::crc32c(text) {
        return None;
    }
    serde_json::from_slice(text).ok()
}

impl Line {
    fn write(number: u64, made: &Made, stored: u64) -> Self {
        let runs = made.digests.chunk_by(|a, b| a == b);
        let digests = runs.filter_map(|run| Some((run.len() as u64, hex::encode(run.first()?))));
        Line {
            number,
            offset: made.entry.offset,
            length: made.entry.length,
            compression: made.entry.compression.text().to_owned(),
            md5: hex::encode(made.entry.md5),
            zeros: made.zeros,
            stored,
            digests: digests.collect(),
        }
    }

    fn read(self) -> Option<Done> {
        let mut md5 = Md5Digest::default();
        hex::decode_to_slice(&self.md5, &mut md5).ok()?;
        let mut digests = Vec::new();
        let blocks = self.digests.iter().map(|(count, _)| *count);
        if blocks.fold(0, u64::saturating_add) > self.length {
            return None;
        }
        for (count, text) in self.digests {
            let mut digest = Sha256Digest::default();
            hex::decode_to_slice(&text, &mut digest).ok()?;
            digests.extend(std::iter::repeat_n(digest, usize::try_from(count).ok()?));
        }
        let entry = ObjectEntry {
            compression: self.compression.parse().ok()?,
            length: self.length,
            md5,
            offset: self.offset,
        };
        Some(Done {
            number: self.number,
            made: Made {
                entry,
                digests,
                zeros: self.zeros,
            },
            stored: self.stored,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Tag;

    fn opening(backup: &str) -> Opening {
        Opening {
            version: VERSION,
            backup: backup.into(),
            parent: None,
            container: "c".into(),
            prefix: "p".into(),
            object_size: 8,
            block_size: 4,
            algorithm: "zlib".into(),
            source: Identity::default(),
        }
    }

    fn made(offset: u64) -> Made {
        Made {
            entry: ObjectEntry {
                compression: Tag::NONE,
                length: 8,
                md5: [7; 16],
                offset,
            },
            digests: vec![[1; 32], [1; 32], [2; 32]],
            zeros: 3,
        }
    }

    #[test]
    fn what_was_written_is_there_again_up_to_the_first_line_that_is_torn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (mut journal, done) = Journal::open(&path, &opening("a")).unwrap();
        assert_eq!(done, []);
        for number in 1..=3 {
            journal.append(number, &made(number * 8), number).unwrap();
        }
        let numbers = |done: Vec<Done>| done.iter().map(|done| done.number).collect::<Vec<_>>();
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let (mut journal, done) = Journal::open(&path, &opening("a")).unwrap();
            let lines = whole[..length].iter().filter(|byte| **byte == b'\n').count();
            let expected: Vec<u64> = (1..lines as u64).collect();
            assert!(done.iter().all(|done| done.made == made(done.number * 8)));
            assert_eq!(numbers(done), expected, "cut at {length}");
            journal.append(9, &made(9), 9).unwrap();
            let (_, done) = Journal::open(&path, &opening("a")).unwrap();
            assert_eq!(numbers(done), [&expected[..], &[9]].concat(), "cut at {length}");
        }
        for at in (0..whole.len()).step_by(7) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            std::fs::write(&path, &damaged).unwrap();
            let (_, done) = Journal::open(&path, &opening("a")).unwrap();
            assert!(done.len() < 3, "damaged at {at}");
        }
    }

    #[test]
    fn the_journal_of_another_backup_or_another_state_of_the_volume_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (mut journal, _) = Journal::open(&path, &opening("a")).unwrap();
        journal.append(1, &made(0), 1).unwrap();
        assert_eq!(Journal::open(&path, &opening("b")).unwrap().1, []);
        let (mut journal, _) = Journal::open(&path, &opening("a")).unwrap();
        journal.append(1, &made(0), 1).unwrap();
        assert_eq!(Journal::open(&path, &opening("a")).unwrap().1.len(), 1);
    }
}
