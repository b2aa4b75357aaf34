//! Deletes the objects of one backup, and of no other.
//!
//! The listing is complete or the delete fails; names are taken only when they are exactly this backup's, so that a
//! sibling with a longer name stays. `_metadata` goes first: a delete that is interrupted leaves nothing that looks
//! like a backup, and may simply be run again. After a pass the listing is read again until it shows no name that was
//! not deleted already: a driver that swallows an error and lists a part only leaves nothing behind so.
//! Bound: the names of one backup. Cost: one listing more than needed.

use std::collections::BTreeSet;

use crate::control::MOST_LANES;
use crate::error::TransferError;
use crate::format::{ObjectKind, classify, data_name, metadata_name, sha256file_name};
use crate::store::{Location, MAX_LISTED, ObjectStore, list_all};

/// Deletes all objects of the backup; says how many were there. A backup without objects, or in a container that is
/// not there, is deleted already.
///
/// # Errors
/// `invalid-request` when container or prefix is empty; the storage's failures. Run it again then.
pub async fn delete(store: &dyn ObjectStore, location: &Location) -> Result<u64, TransferError> {
    let mut deleted = BTreeSet::new();
    loop {
        let before = deleted.len();
        pass(store, location, &mut deleted).await?;
        if deleted.len() == before {
            return Ok(before as u64);
        }
    }
}

/// Deletes what the listing shows and was not deleted before.
async fn pass(
    store: &dyn ObjectStore,
    location: &Location,
    deleted: &mut BTreeSet<String>,
) -> Result<(), TransferError> {
    let listed = match list_all(store, location, MAX_LISTED).await {
        Err(TransferError::Store { failure, .. }) if failure.is_not_found() => return Ok(()),
        listed => listed?,
    };
    let prefix = &location.prefix;
    let ours: Vec<(ObjectKind, String)> = listed
        .into_iter()
        .filter_map(|object| classify(prefix, &object.name).map(|kind| (kind, object.name)))
        .filter(|(_, name)| !deleted.contains(name))
        .collect();
    if ours.is_empty() && !deleted.is_empty() {
        return Ok(());
    }
    let numbers = ours.iter().filter_map(|(kind, _)| match kind {
        ObjectKind::Data(number) => Some(*number),
        _ => None,
    });
    let interrupted = interrupted(&numbers.collect());

    let found: Vec<String> = ours.iter().map(|(_, name)| name.clone()).collect();
    let data = ours
        .into_iter()
        .filter(|(kind, _)| matches!(kind, ObjectKind::Data(_)))
        .map(|(_, name)| name);
    // Those first: what they are is known only as long as the listing shows the others.
    let interrupted = interrupted.into_iter().map(|number| data_name(prefix, number));
    let names = std::iter::once(metadata_name(prefix))
        .chain(interrupted)
        .chain(data)
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
    deleted.extend(found);
    Ok(())
}

/// Numbers of objects whose put may have been interrupted and left something behind that no listing shows; the driver finds
/// it by the name. Each lane of a backup makes every so manieth object in order, so it is the first of a lane's
/// numbers that is not there, however many lanes there were.
fn interrupted(there: &BTreeSet<u64>) -> BTreeSet<u64> {
    let lanes = (1..=MOST_LANES).flat_map(|lanes| (1..=lanes).map(move |first| (first as u64, lanes)));
    let next = there.last().and_then(|greatest| greatest.checked_add(1));
    lanes
        .filter_map(|(first, lanes)| (first..).step_by(lanes).find(|number| !there.contains(number)))
        .chain(next)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_absent_number_of_every_lane_is_found_however_many_there_were() {
        assert_eq!(interrupted(&BTreeSet::new()), (1..=6).collect());
        // Two lanes: the first has made 1, 3, 5 and works on 7, the second has made 2 and works on 4.
        let found = interrupted(&BTreeSet::from([1, 2, 3, 5]));
        assert!(found.contains(&7) && found.contains(&4), "{found:?}");
        assert!(found.len() <= 22 && !found.contains(&3), "{found:?}");
    }
}
