//! What a backup claims to be, checked before a byte of its data is read.
//!
//! `_metadata` must decode; the objects of a full backup must cover the volume, those of an incremental one lie in it;
//! each must build on the next of its chain; the objects that are there must be exactly those that are listed;
//! `_sha256file` must belong to the backup and have one digest per block. Bound, for each backup of the chain: [`MAX_METADATA`] bytes of metadata; 1 MiB of
//! digests per GiB of volume; names of at most [`MAX_EXTRA`] objects more than there should be.

use std::collections::BTreeSet;
use std::io::{self, Read};

use bytes::{Buf, Bytes};
use cofferdam_sandbox::stream::{self, DEFAULT_PIECES, Reader};
use sha2::{Digest, Sha256};

use crate::backup::Parent;
use crate::error::TransferError;
use crate::format::{
    Header, Metadata, ObjectKind, Sha256file, classify, data_name, decode_metadata, decode_sha256file,
    metadata_name, sha256file_name,
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

/// One backup of a chain: where it is and what is known of it from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its objects.
    pub location: Location,
    /// What must hold of it.
    pub expected: Expected,
}

/// A backup with those that it builds on, as their control objects describe them.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// The backup itself first, the full one last.
    pub(crate) generations: Vec<Generation>,
    /// Of the volume.
    pub(crate) bytes: u64,
    /// Of the backup itself; `None` when it is damaged, and then `findings` says so.
    pub(crate) sha256file: Option<Sha256file>,
    /// What is wrong, though the data may still be looked at.
    pub(crate) findings: Vec<TransferError>,
}

/// One backup of the chain.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) location: Location,
    pub(crate) metadata: Metadata,
    /// Numbers of the data objects that are not there.
    pub(crate) missing: BTreeSet<u64>,
}

impl Manifest {
    /// The backup itself.
    pub(crate) fn newest(&self) -> Result<&Generation, TransferError> {
        self.generations
            .first()
            .ok_or_else(|| TransferError::internal("a chain without a backup"))
    }

    /// Its digests have one for every block of the volume: so many.
    pub(crate) fn blocks(&self) -> u64 {
        self.sha256file.as_ref().map_or(0, |file| file.digests.len())
    }
}

/// Reads the manifest of a backup: `chain` is the backup itself, then what it builds on, down to a full one.
pub(crate) async fn open(
    store: &dyn ObjectStore,
    chain: &[Link],
    cancel: &Cancel,
) -> Result<Manifest, TransferError> {
    let (mut generations, mut findings) = (Vec::new(), Vec::new());
    for link in chain {
        let location = &link.location;
        location.check()?;
        let metadata = read_metadata(store, location, &link.expected, cancel).await?;
        let at_most = metadata.objects.len().saturating_add(MAX_EXTRA);
        let listed = unless_cancelled(cancel, list_all(store, location, at_most)).await??;
        let names = listed.iter().map(|object| object.name.as_str());
        let (mut missing, mut found) = compare(location, metadata.objects.len() as u64, names);
        look_at_missing(store, location, cancel, &mut missing, &mut found).await?;
        findings.extend(found);
        generations.push(Generation {
            location: location.clone(),
            metadata,
            missing,
        });
    }
    check_chain(&generations)?;
    let Some(full) = generations.last() else {
        return Err(TransferError::internal("a chain without a backup"));
    };
    let name = metadata_name(&full.location.prefix);
    let bytes = full.metadata.check_full().map_err(invalid(&name))?;
    for (link, generation) in chain.iter().zip(&generations) {
        let name = metadata_name(&generation.location.prefix);
        check_bytes(&name, bytes, &link.expected)?;
    }
    let mut manifest = Manifest {
        generations,
        bytes,
        sha256file: None,
        findings,
    };
    let newest = manifest.newest()?;
    let name = sha256file_name(&newest.location.prefix);
    if !manifest.findings.iter().any(|finding| is_missing(finding, &name)) {
        let expected = chain
            .first()
            .map(|link| link.expected.clone())
            .unwrap_or_default();
        let read = read_sha256file(
            store,
            &newest.location,
            &expected,
            cancel,
            &newest.metadata.header,
            bytes,
        );
        match read.await {
            Ok(file) => manifest.sha256file = Some(file),
            Err(error) if error.is_corruption() => manifest.findings.push(error),
            Err(error) => return Err(error),
        }
    }
    if let Some(file) = &manifest.sha256file {
        for generation in manifest.generations.iter().rev().skip(1) {
            let name = metadata_name(&generation.location.prefix);
            let checked = generation.metadata.check_incremental(bytes, file.block_size);
            checked.map_err(invalid(&name))?;
        }
    }
    Ok(manifest)
}

fn invalid(name: &str) -> impl FnOnce(String) -> TransferError {
    move |reason| TransferError::MetadataInvalid {
        object: name.to_owned(),
        reason,
    }
}

/// Each builds on the next, and the last one on none.
fn check_chain(generations: &[Generation]) -> Result<(), TransferError> {
    const NONE: &str = "none";
    let parents = generations
        .iter()
        .skip(1)
        .map(|parent| Some(&parent.metadata.header.backup_id));
    for (generation, parent) in generations.iter().zip(parents.chain([None])) {
        let metadata = &generation.metadata;
        if metadata.parent_id.as_ref() != parent {
            return Err(TransferError::ChainBroken {
                backup: metadata.header.backup_id.clone(),
                expected: parent.map_or(NONE, String::as_str).to_owned(),
                found: metadata.parent_id.clone().unwrap_or_else(|| NONE.to_owned()),
            });
        }
    }
    Ok(())
}

/// The metadata object of a backup, with its seal and identity checked.
pub(crate) async fn read_metadata(
    store: &dyn ObjectStore,
    location: &Location,
    expected: &Expected,
    cancel: &Cancel,
) -> Result<Metadata, TransferError> {
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
    check_id(&name, &metadata.header, expected.backup_id.as_ref())?;
    Ok(metadata)
}

/// The digests of a backup that another one is to build on.
pub(crate) async fn digests_of(
    store: &dyn ObjectStore,
    parent: &Parent,
    cancel: &Cancel,
) -> Result<Sha256file, TransferError> {
    let expected = Expected {
        bytes: Some(parent.bytes),
        backup_id: Some(parent.backup_id.clone()),
        seals: parent.seals.clone(),
    };
    parent.location.check()?;
    let metadata = read_metadata(store, &parent.location, &expected, cancel).await?;
    let (location, header) = (&parent.location, &metadata.header);
    read_sha256file(store, location, &expected, cancel, header, parent.bytes).await
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

fn check_id(name: &str, header: &Header, expected: Option<&String>) -> Result<(), TransferError> {
    match expected {
        Some(id) if *id != header.backup_id => Err(TransferError::WrongBackup {
            object: name.to_owned(),
            what: "the backup id",
            expected: id.clone(),
            found: header.backup_id.clone(),
        }),
        _ => Ok(()),
    }
}

fn check_bytes(name: &str, bytes: u64, expected: &Expected) -> Result<(), TransferError> {
    match expected.bytes {
        Some(expected) if expected != bytes => Err(TransferError::WrongBackup {
            object: name.to_owned(),
            what: "a volume size of",
            expected: expected.to_string(),
            found: bytes.to_string(),
        }),
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

/// What a listing does not show is looked at before it is called missing: listings may lag behind what they list. Swift's do when a
/// part of the cluster was away while an object was put, by minutes. Cost: a stat for each.
async fn look_at_missing(
    store: &dyn ObjectStore,
    location: &Location,
    cancel: &Cancel,
    missing: &mut BTreeSet<u64>,
    findings: &mut Vec<TransferError>,
) -> Result<(), TransferError> {
    for finding in std::mem::take(findings) {
        let TransferError::ObjectMissing { object } = &finding else {
            findings.push(finding);
            continue;
        };
        match unless_cancelled(cancel, store.stat_object(location.address(object))).await? {
            Ok(_) => {
                tracing::info!(
                    object,
                    "it is there, though the storage's listing does not show it yet"
                );
                if let Some(ObjectKind::Data(number)) = classify(&location.prefix, object) {
                    missing.remove(&number);
                }
            }
            Err(failure) if failure.is_not_found() => findings.push(finding),
            Err(failure) => {
                return Err(TransferError::Store {
                    action: format!("looking at object {object}"),
                    failure,
                });
            }
        }
    }
    Ok(())
}

async fn read_sha256file(
    store: &dyn ObjectStore,
    location: &Location,
    expected: &Expected,
    cancel: &Cancel,
    header: &Header,
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
    if file.header != *header {
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
