//! What a backup says of itself: read from its objects alone, for a record that was lost or made elsewhere.

use crate::error::TransferError;
use crate::manifest::{self, Expected};
use crate::progress::Cancel;
use crate::store::{Location, ObjectStore};

/// A full backup as its control objects describe it.
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

/// Reads a backup's control objects and checks that its objects are all there. Reads no data.
///
/// # Errors
/// What is wrong with the backup or the store.
pub async fn describe(store: &dyn ObjectStore, location: &Location) -> Result<Description, TransferError> {
    let mut manifest = manifest::open(store, location, &Expected::default(), &Cancel::new()).await?;
    if !manifest.findings.is_empty() {
        return Err(manifest.findings.swap_remove(0));
    }
    let header = manifest.metadata.header;
    Ok(Description {
        backup_id: header.backup_id,
        volume_id: header.volume_id,
        name: header.backup_name,
        description: header.backup_description,
        created_at: header.created_at,
        bytes: manifest.bytes,
        object_count: manifest.metadata.objects.len() as u64,
        block_size: manifest.sha256file.map_or(0, |file| u64::from(file.block_size)),
    })
}
