//! What a backup claims to be, checked before a byte of its data is read.
//!
//! `_metadata` must decode and its objects must cover the volume; the objects that are there must be exactly those;
//! `_sha256file` must belong to it and have one digest per block. Bound: [`MAX_METADATA`] bytes of metadata; 1 MiB of
//! digests per GiB of volume; names of at most [`MAX_EXTRA`] objects more than there should be.

use std::collections::BTreeSet;
use std::io::{self, Read};

use bytes::{Buf, Bytes};
use cofferdam_sandbox::stream::{self, DEFAULT_PIECES, Reader};
use sha2::{Digest, Sha256};

use crate::error::TransferError;
use crate::format::{
    Metadata, ObjectKind, Sha256file, classify, data_name, decode_metadata, decode_sha256file, metadata_name,
    sha256file_name,
};
use crate::progress::Cancel;
use crate::store::{Location, ObjectStore, fetch, get_failed, list_all, unless_cancelled};
use crate::thread;

/// Bytes of the longest metadata object that is read or written: about 400,000 objects.
pub(crate) const MAX_METADATA: usize = 128 << 20;

/// Names that may be listed beyond those that the metadata has.
const MAX_EXTRA: usize = 10_000;

/// SHA-256 digests, in lower-case hex, of a backup's two control objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seals {
    /// Of `_metadata`.
    pub metadata: String,
    /// Of `_sha256file`.
    pub sha256file: String,
}

/// What is known of a backup from elsewhere. What is `None` is not checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Bytes of the volume.
    pub bytes: Option<u64>,
    /// UUID of the backup.
    pub backup_id: Option<String>,
    /// Digests of the control objects.
    pub seals: Option<Seals>,
}

/// A backup as its control objects describe it.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) metadata: Metadata,
    /// Of the volume.
    pub(crate) bytes: u64,
    /// `None` when it is damaged; then `findings` says so.
    pub(crate) sha256file: Option<Sha256file>,
    /// Numbers of the data objects that are not there.
    pub(crate) missing: BTreeSet<u64>,
    /// What is wrong, though the data may still be looked at.
    pub(crate) findings: Vec<TransferError>,
}

/// Reads the manifest of a full backup.
pub(crate) async fn open(
    store: &dyn ObjectStore,
    location: &Location,
    expected: &Expected,
    cancel: &Cancel,
) -> Result<Manifest, TransferError> {
    location.check()?;
    let name = metadata_name(&location.prefix);
    let Some(bytes) = unless_cancelled(cancel, fetch(store, location, &name, MAX_METADATA)).await?? else {
        let reason = format!("it has more than {MAX_METADATA} bytes");
        return Err(TransferError::MetadataInvalid { object: name, reason });
    };
    let (object, prefix) = (name.clone(), location.prefix.clone());
    let decode = thread::spawn("metadata", move || {
        (
            hex::encode(Sha256::digest(&bytes)),
            decode_metadata(&object, &prefix, &bytes),
        )
    })?;
    let (seal, metadata) = decode.join().await?;
    check_seal(&name, &seal, expected.seals.as_ref().map(|seals| &seals.metadata))?;
    let metadata = metadata?;
    if let Some(parent) = metadata.parent_id {
        return Err(TransferError::UnsupportedIncremental { parent });
    }
    let bytes = metadata
        .check_full()
        .map_err(|reason| TransferError::MetadataInvalid {
            object: name.clone(),
            reason,
        })?;
    check_identity(&name, &metadata, bytes, expected)?;

    let at_most = metadata.objects.len().saturating_add(MAX_EXTRA);
    let listed = unless_cancelled(cancel, list_all(store, location, at_most)).await??;
    let names = listed.iter().map(|object| object.name.as_str());
    let (missing, mut findings) = compare(location, metadata.objects.len() as u64, names);
    let sha256file = if findings
        .iter()
        .any(|finding| is_missing(finding, &sha256file_name(&location.prefix)))
    {
        None
    } else {
        match read_sha256file(store, location, expected, cancel, &metadata, bytes).await {
            Ok(file) => Some(file),
            Err(error) if error.is_corruption() => {
                findings.push(error);
                None
            }
            Err(error) => return Err(error),
        }
    };
    Ok(Manifest {
        metadata,
        bytes,
        sha256file,
        missing,
        findings,
    })
}

fn check_seal(name: &str, found: &str, expected: Option<&String>) -> Result<(), TransferError> {
    match expected {
        Some(expected) if expected != found => Err(TransferError::ObjectAltered {
            object: name.to_owned(),
            reason: format!("its SHA-256 is {found}; when it was made it was {expected}"),
        }),
        _ => Ok(()),
    }
}

fn check_identity(
    name: &str,
    metadata: &Metadata,
    bytes: u64,
    expected: &Expected,
) -> Result<(), TransferError> {
    let wrong = |what, expected: String, found: String| {
        Err(TransferError::WrongBackup {
            object: name.to_owned(),
            what,
            expected,
            found,
        })
    };
    match (&expected.backup_id, expected.bytes) {
        (Some(id), _) if *id != metadata.header.backup_id => {
            wrong("the backup id", id.clone(), metadata.header.backup_id.clone())
        }
        (_, Some(expected)) if expected != bytes => {
            wrong("a volume size of", expected.to_string(), bytes.to_string())
        }
        _ => Ok(()),
    }
}

fn is_missing(finding: &TransferError, name: &str) -> bool {
    matches!(finding, TransferError::ObjectMissing { object } if object == name)
}

/// Which of the objects are not there, and what to say of them and of those that should not be.
fn compare<'a>(
    location: &Location,
    objects: u64,
    names: impl Iterator<Item = &'a str>,
) -> (BTreeSet<u64>, Vec<TransferError>) {
    let prefix = &location.prefix;
    let mut missing: BTreeSet<u64> = (1..=objects).collect();
    let (mut has_sha256file, mut has_metadata, mut findings) = (false, false, Vec::new());
    for name in names {
        let expected = match classify(prefix, name) {
            Some(ObjectKind::Sha256file) => !std::mem::replace(&mut has_sha256file, true),
            Some(ObjectKind::Metadata) => !std::mem::replace(&mut has_metadata, true),
            Some(ObjectKind::Data(number)) => data_name(prefix, number) == name && missing.remove(&number),
            None => false,
        };
        if !expected {
            findings.push(TransferError::ObjectAdded {
                object: name.to_owned(),
            });
        }
    }
    let control = [
        (has_sha256file, sha256file_name(prefix)),
        (has_metadata, metadata_name(prefix)),
    ];
    let absent = control
        .into_iter()
        .filter(|(there, _)| !there)
        .map(|(_, name)| name);
    let absent = missing
        .iter()
        .map(|number| data_name(prefix, *number))
        .chain(absent);
    findings.extend(absent.map(|object| TransferError::ObjectMissing { object }));
    (missing, findings)
}

async fn read_sha256file(
    store: &dyn ObjectStore,
    location: &Location,
    expected: &Expected,
    cancel: &Cancel,
    metadata: &Metadata,
    bytes: u64,
) -> Result<Sha256file, TransferError> {
    let name = sha256file_name(&location.prefix);
    let (writer, reader) = stream::channel(DEFAULT_PIECES);
    let object = name.clone();
    let decode = thread::spawn("sha256file", move || {
        let mut input = StreamRead::new(reader);
        let file = decode_sha256file(&object, &mut input, bytes);
        (file, input.broken, hex::encode(input.sha256.finalize()))
    })?;
    let got = unless_cancelled(cancel, store.get_object(location.address(&name), None, writer)).await?;
    let (file, broken, seal) = decode.join().await?;
    let file = match (file, broken, got) {
        (_, true, Err(failure)) => return Err(get_failed(&name, failure)),
        (_, true, Ok(_)) => {
            let reason = format!("it gave object {name}, but not to its end");
            return Err(TransferError::DriverContract { reason });
        }
        // Read as far as was wanted: what the driver says of a reader that left does not matter.
        (Err(TransferError::UnsupportedVersion { object, found }), false, _) => {
            let reason = format!("it is of version {found:?}; the metadata object is of 1.0.0");
            return Err(TransferError::Sha256fileInvalid { object, reason });
        }
        (file, false, _) => file?,
    };
    check_seal(
        &name,
        &seal,
        expected.seals.as_ref().map(|seals| &seals.sha256file),
    )?;
    if file.header != metadata.header {
        let reason = "what it says of the backup is not what the metadata object says".into();
        return Err(TransferError::Sha256fileInvalid { object: name, reason });
    }
    Ok(file)
}

/// A stream as something to read from; from a thread that may block.
struct StreamRead {
    reader: Reader,
    piece: Bytes,
    sha256: Sha256,
    broken: bool,
}

impl StreamRead {
    fn new(reader: Reader) -> Self {
        StreamRead {
            reader,
            piece: Bytes::new(),
            sha256: Sha256::new(),
            broken: false,
        }
    }
}

impl Read for StreamRead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            match self.reader.blocking_next() {
                Ok(None) => return Ok(0),
                Ok(Some(piece)) => {
                    self.sha256.update(&piece);
                    self.piece = piece;
                }
                Err(broken) => {
                    self.broken = true;
                    return Err(io::Error::other(broken.0));
                }
            }
        }
        let count = buffer.len().min(self.piece.len());
        self.piece
            .split_to(count)
            .copy_to_slice(buffer.get_mut(..count).unwrap_or_default());
        Ok(count)
    }
}
