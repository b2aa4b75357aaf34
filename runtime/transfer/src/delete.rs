//! Deletes the objects of one backup, and of no other.
//!
//! The listing is complete or the delete fails; names are taken only when they are exactly this backup's, so that a
//! sibling with a longer name stays. `_metadata` goes first: a delete that is interrupted leaves nothing that looks
//! like a backup, and may simply be run again. Bound: the names of one backup.

use crate::error::TransferError;
use crate::format::{ObjectKind, classify, data_name, metadata_name, sha256file_name};
use crate::store::{Location, MAX_LISTED, ObjectStore, list_all};

/// Deletes all objects of the backup; says how many were there. A backup without objects, or in a container that is
/// not there, is deleted already.
///
/// # Errors
/// `invalid-request` when container or prefix is empty; the storage's failures. Run it again then.
pub async fn delete(store: &dyn ObjectStore, location: &Location) -> Result<u64, TransferError> {
    let listed = match list_all(store, location, MAX_LISTED).await {
        Err(TransferError::Store { failure, .. }) if failure.is_not_found() => return Ok(0),
        listed => listed?,
    };
    let prefix = &location.prefix;
    let ours: Vec<(ObjectKind, String)> = listed
        .into_iter()
        .filter_map(|object| classify(prefix, &object.name).map(|kind| (kind, object.name)))
        .collect();
    let greatest = ours.iter().filter_map(|(kind, _)| match kind {
        ObjectKind::Data(number) => Some(*number),
        _ => None,
    });
    // An interrupted put may have left something behind that no listing shows; the driver finds it by the name.
    let next = greatest
        .max()
        .unwrap_or(0)
        .checked_add(1)
        .map(|number| data_name(prefix, number));

    let count = ours.len() as u64;
    let data = ours
        .into_iter()
        .filter(|(kind, _)| matches!(kind, ObjectKind::Data(_)))
        .map(|(_, name)| name);
    let names = std::iter::once(metadata_name(prefix))
        .chain(data)
        .chain(next)
        .chain([sha256file_name(prefix)]);
    for name in names {
        store
            .delete_object(location.address(&name))
            .await
            .map_err(|failure| TransferError::Store {
                action: format!("deleting object {name}"),
                failure,
            })?;
    }
    Ok(count)
}
