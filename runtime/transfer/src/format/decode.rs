//! Reading the `_metadata` document, which anyone may have written.
//!
//! Bound: the caller bounds the bytes; what is kept is 48 bytes per object, names are checked and dropped. Refused:
//! another version, unknown, missing or doubled keys, names out of order, digests that are not lower-case hex.

use serde::Deserialize;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};

use super::{Header, Md5Digest, Metadata, ObjectEntry, VERSION, data_name};
use crate::codec::Tag;
use crate::error::TransferError;

#[derive(Deserialize)]
struct Versioned {
    version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "version")]
    _version: IgnoredAny,
    backup_id: String,
    volume_id: String,
    // `deserialize_with` makes a key that may be null one that may not be absent.
    #[serde(deserialize_with = "Option::deserialize")]
    backup_name: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    backup_description: Option<String>,
    created_at: String,
    objects: Vec<Named>,
    parent_id: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    volume_meta: Option<String>,
    #[serde(rename = "extra_metadata")]
    _extra_metadata: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    compression: String,
    length: u64,
    md5: String,
    offset: u64,
}

/// An entry: a map with exactly one key.
struct Named(String, Body);

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;
        impl<'de> Visitor<'de> for One {
            type Value = Named;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map with one object name")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named, A::Error> {
                let (name, body) = map
                    .next_entry()?
                    .ok_or_else(|| A::Error::custom("an entry has no object name"))?;
                match map.next_key::<String>()? {
                    None => Ok(Named(name, body)),
                    Some(_) => Err(A::Error::custom("an entry has more than one object name")),
                }
            }
        }
        deserializer.deserialize_map(One)
    }
}

/// Reads the `_metadata` document of the backup with that prefix; `object` is its name in messages.
///
/// # Errors
/// `unsupported-version`, `unsupported-compression`, `metadata-invalid`.
pub fn decode_metadata(object: &str, prefix: &str, bytes: &[u8]) -> Result<Metadata, TransferError> {
    let invalid = |reason: String| TransferError::MetadataInvalid {
        object: object.to_owned(),
        reason,
    };
    let versioned: Versioned = serde_json::from_slice(bytes).map_err(|error| invalid(error.to_string()))?;
    if versioned.version != VERSION {
        return Err(TransferError::UnsupportedVersion {
            object: object.to_owned(),
            found: versioned.version,
        });
    }
    let document: Document = serde_json::from_slice(bytes).map_err(|error| invalid(error.to_string()))?;
    let mut objects = Vec::with_capacity(document.objects.len());
    for (number, Named(name, body)) in (1_u64..).zip(document.objects) {
        let expected = data_name(prefix, number);
        if name != expected {
            return Err(invalid(format!(
                "entry {number} is {name:?} instead of {expected:?}"
            )));
        }
        let md5: Md5Digest = lower_hex(&body.md5)
            .ok_or_else(|| invalid(format!("entry {number} has the MD5 {:?}", body.md5)))?;
        let compression = body.compression.parse::<Tag>()?;
        objects.push(ObjectEntry {
            compression,
            length: body.length,
            md5,
            offset: body.offset,
        });
    }
    Ok(Metadata {
        header: Header {
            backup_id: document.backup_id,
            volume_id: document.volume_id,
            backup_name: document.backup_name,
            backup_description: document.backup_description,
            created_at: document.created_at,
        },
        objects,
        parent_id: document.parent_id,
        volume_meta: document.volume_meta,
    })
}

impl Metadata {
    /// Bytes of the volume, once it is sure that the objects of this full backup cover it without gap or overlap.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn check_full(&self) -> Result<u64, String> {
        let mut end = 0_u64;
        for (number, entry) in (1_u64..).zip(&self.objects) {
            if entry.offset != end {
                return Err(format!(
                    "object {number} begins at byte {} instead of {end}",
                    entry.offset
                ));
            }
            if entry.length == 0 {
                return Err(format!("object {number} is empty"));
            }
            // More than i64::MAX is no file offset.
            end = end
                .checked_add(entry.length)
                .filter(|end| i64::try_from(*end).is_ok())
                .ok_or_else(|| format!("object {number} is {} bytes long", entry.length))?;
        }
        if end == 0 {
            Err("a full backup without objects".into())
        } else {
            Ok(end)
        }
    }
}

impl Metadata {
    /// Makes sure that the objects of this incremental backup lie in the volume, in order and without overlap, and begin
    /// and end with hash blocks.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn check_incremental(&self, volume_bytes: u64, block_size: u32) -> Result<(), String> {
        let (mut end, block) = (0_u64, u64::from(block_size.max(1)));
        for (number, entry) in (1_u64..).zip(&self.objects) {
            let ObjectEntry { offset, length, .. } = *entry;
            let until = offset.checked_add(length).filter(|until| *until <= volume_bytes);
            let Some(until) = until.filter(|until| offset >= end && *until > offset) else {
                return Err(format!(
                    "object {number} has {length} bytes from byte {offset} on; the one before ends at {end}, the volume at \
                     {volume_bytes}"
                ));
            };
            if offset % block != 0 || (until % block != 0 && until != volume_bytes) {
                return Err(format!(
                    "object {number}, {length} bytes from byte {offset} on, is not made of blocks of {block} bytes"
                ));
            }
            end = until;
        }
        Ok(())
    }
}

/// Digest from lower-case hex: the only form that anyone writes, so that a flipped case bit does not go unseen.
pub(super) fn lower_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    hex::decode_to_slice(text, &mut bytes).ok().map(|()| bytes)
}
