//! Reading the `_sha256file` document as a stream.
//!
//! Problem: for a great volume it is far greater than the memory that it may cost. So it is parsed as it comes, and
//! only the digests are kept, runs of the same one once. Bound: the number of digests that the volume's size and the block size
//! allow; 1 MiB for all other text. That needs `chunk_size` before `sha256s`, as Cinder's sorted keys have it.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufReader, Read};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::decode::lower_hex;
use super::{Digests, Header, Sha256Digest, Sha256file, VERSION, most_blocks};
use crate::error::TransferError;

/// Bytes of everything but the digests.
const OTHER_TEXT: u64 = 1 << 20;

/// Bytes that one digest may take, white space and all; Cinder's take 72.
const PER_DIGEST: u64 = 128;

/// Reads the `_sha256file` document of a volume of `volume_bytes`; `object` is its name in messages.
///
/// # Errors
/// `unsupported-version`, `sha256file-invalid`.
pub fn decode_sha256file(
    object: &str,
    input: impl Read,
    volume_bytes: u64,
) -> Result<Sha256file, TransferError> {
    let budget = Cell::new(OTHER_TEXT);
    let input = BufReader::with_capacity(
        64 << 10,
        Budgeted {
            input,
            budget: &budget,
        },
    );
    let mut json = serde_json::Deserializer::from_reader(input);
    let parsed = json
        .deserialize_map(Document {
            volume_bytes,
            budget: &budget,
        })
        .and_then(|document| json.end().map(|()| document));
    let invalid = |reason: String| TransferError::Sha256fileInvalid {
        object: object.to_owned(),
        reason,
    };
    let parsed = parsed.map_err(|error| invalid(error.to_string()))?;
    if parsed.version != VERSION {
        return Err(TransferError::UnsupportedVersion {
            object: object.to_owned(),
            found: parsed.version,
        });
    }
    let expected = volume_bytes.div_ceil(u64::from(parsed.file.block_size));
    if parsed.file.digests.len() != expected {
        return Err(invalid(format!(
            "it has {} digests instead of {expected}",
            parsed.file.digests.len()
        )));
    }
    Ok(parsed.file)
}

/// Fails once more bytes come than the document can need.
struct Budgeted<'a, R> {
    input: R,
    budget: &'a Cell<u64>,
}

impl<R: Read> Read for Budgeted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        match self.budget.get().checked_sub(count as u64) {
            Some(rest) => self.budget.set(rest),
            None => return Err(io::Error::other("it is longer than it can be")),
        }
        Ok(count)
    }
}

struct Parsed {
    version: String,
    file: Sha256file,
}

struct Document<'a> {
    volume_bytes: u64,
    budget: &'a Cell<u64>,
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = Parsed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parsed, A::Error> {
        let (mut version, mut backup_id, mut volume_id, mut created_at) = (None, None, None, None);
        let (mut name, mut description) = (None, None);
        let (mut block_size, mut digests): (Option<u32>, _) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "version" => once(&mut version, "version", map.next_value::<String>()?)?,
                "backup_id" => once(&mut backup_id, "backup_id", map.next_value::<String>()?)?,
                "volume_id" => once(&mut volume_id, "volume_id", map.next_value::<String>()?)?,
                "created_at" => once(&mut created_at, "created_at", map.next_value::<String>()?)?,
                "backup_name" => once(&mut name, "backup_name", map.next_value::<Option<String>>()?)?,
                "backup_description" => {
                    once(
                        &mut description,
                        "backup_description",
                        map.next_value::<Option<String>>()?,
                    )?;
                }
                "chunk_size" => {
                    let size = map.next_value::<u32>()?;
                    if size == 0 {
                        return Err(A::Error::custom("chunk_size is 0"));
                    }
                    once(&mut block_size, "chunk_size", size)?;
                }
                "sha256s" => {
                    let Some(block_size) = block_size else {
                        return Err(A::Error::custom("sha256s comes before chunk_size"));
                    };
                    let expected = self.volume_bytes.div_ceil(u64::from(block_size));
                    if expected > most_blocks(self.volume_bytes) {
                        return Err(A::Error::custom(format!("chunk_size is only {block_size}")));
                    }
                    let more = expected.saturating_mul(PER_DIGEST);
                    self.budget.set(self.budget.get().saturating_add(more));
                    once(&mut digests, "sha256s", map.next_value_seed(List { expected })?)?;
                }
                other => return Err(A::Error::custom(format!("unknown key {other:?}"))),
            }
        }
        let missing = A::Error::missing_field;
        Ok(Parsed {
            version: version.ok_or_else(|| missing("version"))?,
            file: Sha256file {
                header: Header {
                    backup_id: backup_id.ok_or_else(|| missing("backup_id"))?,
                    volume_id: volume_id.ok_or_else(|| missing("volume_id"))?,
                    backup_name: name.ok_or_else(|| missing("backup_name"))?,
                    backup_description: description.ok_or_else(|| missing("backup_description"))?,
                    created_at: created_at.ok_or_else(|| missing("created_at"))?,
                },
                block_size: block_size.ok_or_else(|| missing("chunk_size"))?,
                digests: digests.ok_or_else(|| missing("sha256s"))?,
            },
        })
    }
}

fn once<T, E: Error>(slot: &mut Option<T>, key: &'static str, value: T) -> Result<(), E> {
    if slot.replace(value).is_some() {
        Err(E::duplicate_field(key))
    } else {
        Ok(())
    }
}

/// The list of digests, of which no more are kept than the volume has blocks.
struct List {
    expected: u64,
}

impl<'de> DeserializeSeed<'de> for List {
    type Value = Digests;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List {
    type Value = Digests;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of SHA-256 digests")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut digests = Digests::new();
        while let Some(Digest(digest)) = seq.next_element()? {
            if digests.len() >= self.expected {
                return Err(A::Error::custom(format!(
                    "it has more than {} digests",
                    self.expected
                )));
            }
            digests.push(digest);
        }
        Ok(digests)
    }
}

struct Digest(Sha256Digest);

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Hex;
        impl Visitor<'_> for Hex {
            type Value = Digest;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("64 lower-case hex digits")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Digest, E> {
                lower_hex(text)
                    .map(Digest)
                    .ok_or_else(|| E::custom("a digest is not 64 lower-case hex digits"))
            }
        }
        deserializer.deserialize_str(Hex)
    }
}
