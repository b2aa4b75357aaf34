//! What a backup says of itself: read from its objects alone, for a record that was lost or made elsewhere.

use crate::error::TransferError;
use crate::manifest::{self, Expected, Link};
use crate::progress::Cancel;
use crate::store::{Location, ObjectStore};

/// A backup as its control objects describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// UUID of the backup.
    pub backup_id: String,
    /// UUID of the volume.
    pub volume_id: String,
    /// Name for people.
    pub name: Option<String>,
    /// Description for people.
    pub description: Option<String>,
    /// When its record was made, as Cinder writes it: `2024-01-02 03:04:05+00:00`.
    pub created_at: String,
    /// Bytes of the volume.
    pub bytes: u64,
    /// Data objects.
    pub object_count: u64,
    /// SHA-256 block in bytes.
    pub block_size: u64,
}

/// The backup that this one builds on, as its metadata object says; `None` for a full one.
///
/// # Errors
/// What is wrong with the metadata object or the store.
pub async fn parent_of(
    store: &dyn ObjectStore,
    location: &Location,
) -> Result<Option<String>, TransferError> {
    location.check()?;
    let (expected, cancel) = (Expected::default(), Cancel::new());
    let metadata = manifest::read_metadata(store, location, &expected, &cancel).await?;
    Ok(metadata.parent_id)
}

/// Reads the control objects of a backup and of those that it builds on, and checks that all their objects are there.
/// Reads no data. `chain` is the backup itself, then what it builds on, down to a full one.
///
/// # Errors
/// What is wrong with the backup or the store.
pub async fn describe(store: &dyn ObjectStore, chain: &[Link]) -> Result<Description, TransferError> {
    let mut manifest = manifest::open(store, chain, &Cancel::new()).await?;
    if !manifest.findings.is_empty() {
        return Err(manifest.findings.swap_remove(0));
    }
    let metadata = &manifest.newest()?.metadata;
    let header = metadata.header.clone();
    Ok(Description {
        backup_id: header.backup_id,
        volume_id: header.volume_id,
        name: header.backup_name,
        description: header.backup_description,
        created_at: header.created_at,
        bytes: manifest.bytes,
        object_count: metadata.objects.len() as u64,
        block_size: manifest
            .sha256file
            .as_ref()
            .map_or(0, |file| u64::from(file.block_size)),
    })
}
