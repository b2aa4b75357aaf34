//! Cinder's chunked backup format, version 1.0.0: names, and the two control documents.
//!
//! Source: cinder/backup/chunkeddriver.py. Data objects are `<prefix>-00001` and so on; `<prefix>_sha256file` has the
//! digest of every hash block of the volume; `<prefix>_metadata` lists the objects and, written last, is the commit
//! mark. Writing is byte for byte what Python's json writes; reading takes everything for hostile.

mod decode;
mod digests;
mod encode;
pub(crate) mod fuzz;
mod sha256;

use jiff::Timestamp;

use crate::codec::Tag;

pub use decode::decode_metadata;
pub use digests::Digests;
pub use encode::{encode_metadata, encode_sha256file};
pub use sha256::decode_sha256file;

/// The only version there is.
pub(crate) const VERSION: &str = "1.0.0";

/// A SHA-256 digest.
pub(crate) type Sha256Digest = [u8; 32];

/// An MD5 digest.
pub(crate) type Md5Digest = [u8; 16];

/// What both control documents say of the backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// UUID of the backup.
    pub backup_id: String,
    /// UUID of the volume.
    pub volume_id: String,
    /// Name for people.
    pub backup_name: Option<String>,
    /// Description for people.
    pub backup_description: Option<String>,
    /// As [`created_at_text`] writes it; when read, as it was found.
    pub created_at: String,
}

/// The `_metadata` document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Identity of the backup.
    pub header: Header,
    /// Data objects in the order of their numbers, which begin at 1 and have no gaps.
    pub objects: Vec<ObjectEntry>,
    /// UUID of the backup that this one builds on; `None` for a full backup.
    pub parent_id: Option<String>,
    /// The volume's own metadata: a JSON document as text.
    pub volume_meta: Option<String>,
}

/// One data object in the `_metadata` document. Its number is its place in the list, plus one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectEntry {
    /// How the object is stored.
    pub compression: Tag,
    /// Bytes of volume.
    pub length: u64,
    /// MD5 of the raw bytes.
    pub md5: Md5Digest,
    /// Where in the volume they begin.
    pub offset: u64,
}

/// The `_sha256file` document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sha256file {
    /// Identity of the backup.
    pub header: Header,
    /// Bytes per hash block; `chunk_size` in the document.
    pub block_size: u32,
    /// Digest of every block of the whole volume, in order; the last block may be short.
    pub digests: Digests,
}

/// What an object of a backup is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// Data object of that number.
    Data(u64),
    /// The digests.
    Sha256file,
    /// The commit mark.
    Metadata,
}

/// Most hash blocks of a volume of that size: 4 KiB each, or two million of a small one. Each costs 32 bytes of memory,
/// and both the placement and what is read come from a driver.
pub(crate) fn most_blocks(volume_bytes: u64) -> u64 {
    (volume_bytes / 4096).max(2 << 20)
}

/// Name of the data object of that number, counted from 1.
pub fn data_name(prefix: &str, number: u64) -> String {
    format!("{prefix}-{number:05}")
}

/// Name of the digests' object.
pub fn sha256file_name(prefix: &str) -> String {
    format!("{prefix}_sha256file")
}

/// Name of the commit mark.
pub fn metadata_name(prefix: &str) -> String {
    format!("{prefix}_metadata")
}

/// What the name means for the backup of that prefix; `None` when it is not one of its objects.
pub fn classify(prefix: &str, name: &str) -> Option<ObjectKind> {
    match name.strip_prefix(prefix)? {
        "_sha256file" => Some(ObjectKind::Sha256file),
        "_metadata" => Some(ObjectKind::Metadata),
        rest => {
            let digits = rest.strip_prefix('-')?;
            if digits.len() < 5 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            digits.parse().ok().map(ObjectKind::Data)
        }
    }
}

/// A time as the documents write it: `2024-01-02 03:04:05+00:00`, with microseconds only when there are any.
pub fn created_at_text(at: Timestamp) -> String {
    let micros = at.subsec_nanosecond().unsigned_abs() / 1000;
    let text = at.strftime("%Y-%m-%d %H:%M:%S");
    if micros == 0 {
        format!("{text}+00:00")
    } else {
        format!("{text}.{micros:06}+00:00")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_backups_own_only_when_it_is_exactly_one_of_the_three_forms() {
        assert_eq!(data_name("p", 1), "p-00001");
        assert_eq!(data_name("p", 123_456), "p-123456");
        assert_eq!(classify("p", "p-00001"), Some(ObjectKind::Data(1)));
        assert_eq!(classify("p", "p-123456"), Some(ObjectKind::Data(123_456)));
        assert_eq!(classify("p", "p_metadata"), Some(ObjectKind::Metadata));
        assert_eq!(classify("p", "p_sha256file"), Some(ObjectKind::Sha256file));
        for other in [
            "p",
            "p-",
            "p-0001",
            "p-0000a",
            "p-00001x",
            "p2-00001",
            "p_metadata2",
            "q-00001",
            "p-99999999999999999999",
        ] {
            assert_eq!(classify("p", other), None, "{other}");
        }
    }

    #[test]
    fn a_time_has_microseconds_only_when_there_are_any() {
        assert_eq!(
            created_at_text("2024-01-02T03:04:05Z".parse().unwrap()),
            "2024-01-02 03:04:05+00:00"
        );
        assert_eq!(
            created_at_text("2026-11-23T00:21:50.961231Z".parse().unwrap()),
            "2026-11-23 00:21:50.961231+00:00"
        );
        assert_eq!(
            created_at_text("2026-11-23T00:21:50.0000019Z".parse().unwrap()),
            "2026-11-23 00:21:50.000001+00:00"
        );
    }
}
