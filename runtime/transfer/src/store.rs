//! The backend as the engine sees it: objects in containers.
//!
//! Whoever implements it passes a driver's answers on as they are; the checks are here and in the pipelines. Bound: a
//! listing holds at most as many names as its caller allows.

use async_trait::async_trait;
use bytes::Bytes;
use cofferdam_sandbox::Failure;
use cofferdam_sandbox::contract::{BodyInfo, BodyNeeds, ByteRange, ObjectAddress, ObjectInfo, Page};
use cofferdam_sandbox::stream::{self, Reader, Writer};

use crate::error::TransferError;
use crate::layers::Tries;
use crate::progress::Cancel;

/// Names asked for per page: the contract's greatest.
const PAGE: u32 = 1000;

/// Longest object name of the contract, in bytes.
const MAX_NAME: usize = 1024;

/// Names that a listing may hold when the caller knows no better: more than a metadata object can list.
pub(crate) const MAX_LISTED: usize = 1_000_000;

/// Where the objects of one backup are. Recorded when the backup was made, never computed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Container of all its objects.
    pub container: String,
    /// What all their names begin with.
    pub prefix: String,
}

impl Location {
    /// Refuses what would match other backups' objects (LP 1463341).
    pub(crate) fn check(&self) -> Result<(), TransferError> {
        if self.container.is_empty() || self.prefix.is_empty() {
            let reason = format!(
                "a backup needs a container and a prefix; given are {:?} and {:?}",
                self.container, self.prefix
            );
            return Err(TransferError::InvalidRequest { reason });
        }
        Ok(())
    }

    pub(crate) fn address(&self, name: &str) -> ObjectAddress {
        ObjectAddress {
            container: self.container.clone(),
            name: name.to_owned(),
        }
    }
}

/// A backend's storage. The meaning of each call is that of `object-store` in `wit/`. Each is one try; the
/// [layers](crate::Layers) make several of it.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// What `put_object` must find in its `info`.
    fn needs(&self) -> BodyNeeds;

    /// The greatest object in bytes; `None` when there is no limit.
    fn greatest_object(&self) -> Option<u64>;

    /// Whether a put that failed so should be made again now, with its body made anew from its source; waits until it
    /// is time. Never, unless there are [layers](crate::Layers) round the store.
    async fn again(&self, tries: &mut Tries, failure: &Failure) -> bool {
        let _ = (tries, failure);
        false
    }

    /// Waits, for seconds at most, until what was begun by calls that nobody waits for any more has no effect any more. What is
    /// removed before that could come back.
    async fn quiet(&self) {}

    /// Makes the container unless it is there.
    async fn create_container(&self, container: &str) -> Result<(), Failure>;

    /// Stores the whole body. A body that breaks must be discarded.
    async fn put_object(&self, at: ObjectAddress, body: Reader, info: BodyInfo) -> Result<(), Failure>;

    /// Writes the object to `sink` and says how many bytes that were. The implementation finishes the sink when it
    /// succeeds, and fails or drops it when it does not.
    async fn get_object(
        &self,
        at: ObjectAddress,
        range: Option<ByteRange>,
        sink: Writer,
    ) -> Result<u64, Failure>;

    /// Size of an object; not-found when it is absent.
    async fn stat_object(&self, at: ObjectAddress) -> Result<ObjectInfo, Failure>;

    /// Deletes an object; succeeds when it is absent.
    async fn delete_object(&self, at: ObjectAddress) -> Result<(), Failure>;

    /// One page of names that begin with `prefix` and come after `after`, ascending.
    async fn list_objects(
        &self,
        container: &str,
        prefix: &str,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page, Failure>;
}

/// All objects whose names begin with the location's prefix, in ascending order: complete or an error.
///
/// # Errors
/// `invalid-request` when container or prefix is empty; `listing-invalid` when the driver's pages are not ascending,
/// do not advance, or hold more than `at_most` names; the storage's own failure.
pub async fn list_all(
    store: &dyn ObjectStore,
    location: &Location,
    at_most: usize,
) -> Result<Vec<ObjectInfo>, TransferError> {
    location.check()?;
    let invalid = |reason: String| TransferError::ListingInvalid {
        container: location.container.clone(),
        reason,
    };
    let (mut all, mut last): (Vec<ObjectInfo>, Option<String>) = (Vec::new(), None);
    let mut seen = 0;
    loop {
        let page = store
            .list_objects(&location.container, &location.prefix, last.clone(), PAGE)
            .await
            .map_err(|failure| TransferError::Store {
                action: format!("listing {}", location.container),
                failure,
            })?;
        if page.objects.len() > PAGE as usize {
            return Err(invalid(format!(
                "a page holds {} names; asked for were {PAGE}",
                page.objects.len()
            )));
        }
        if page.more && page.objects.is_empty() {
            return Err(invalid("an empty page says that more follow".into()));
        }
        seen += page.objects.len();
        if seen > at_most {
            return Err(invalid(format!("there are more than {at_most} names")));
        }
        for object in page.objects {
            if object.name.len() > MAX_NAME {
                return Err(invalid(format!("a name has {} bytes", object.name.len())));
            }
            if last.as_ref().is_some_and(|last| *last >= object.name) {
                return Err(invalid(format!(
                    "{:?} does not come after the name before it",
                    object.name
                )));
            }
            last = Some(object.name.clone());
            if object.name.starts_with(&location.prefix) {
                all.push(object);
            }
        }
        if !page.more {
            return Ok(all);
        }
    }
}

/// Awaits a call unless somebody asks to stop; then the call is dropped.
pub(crate) async fn unless_cancelled<T>(
    cancel: &Cancel,
    call: impl Future<Output = T>,
) -> Result<T, TransferError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(TransferError::Cancelled),
        value = call => Ok(value),
    }
}

/// A failure while reading an object: absent is a finding, everything else is the storage's fault.
pub(crate) fn get_failed(name: &str, failure: Failure) -> TransferError {
    if failure.is_not_found() {
        return TransferError::ObjectMissing {
            object: name.to_owned(),
        };
    }
    TransferError::Store {
        action: format!("reading object {name}"),
        failure,
    }
}

/// A whole object in memory; `None` when it is longer than `limit`.
pub(crate) async fn fetch(
    store: &dyn ObjectStore,
    location: &Location,
    name: &str,
    limit: usize,
) -> Result<Option<Vec<u8>>, TransferError> {
    let (writer, reader) = stream::channel(stream::DEFAULT_PIECES);
    let (got, collected) = tokio::join!(
        store.get_object(location.address(name), None, writer),
        collect(reader, limit)
    );
    match (got, collected) {
        (_, Collected::TooLong) => Ok(None),
        (Err(failure), _) => Err(get_failed(name, failure)),
        (Ok(_), Collected::Broken(reason)) => Err(TransferError::DriverContract {
            reason: format!("it gave object {name}, but {reason}"),
        }),
        (Ok(_), Collected::Whole(bytes)) => Ok(Some(bytes)),
    }
}

enum Collected {
    Whole(Vec<u8>),
    TooLong,
    Broken(String),
}

async fn collect(mut reader: Reader, limit: usize) -> Collected {
    let mut bytes = Vec::new();
    loop {
        match reader.next().await {
            Ok(Some(piece)) if bytes.len().saturating_add(Bytes::len(&piece)) > limit => {
                return Collected::TooLong;
            }
            Ok(Some(piece)) => bytes.extend_from_slice(&piece),
            Ok(None) => return Collected::Whole(bytes),
            Err(broken) => return Collected::Broken(broken.0),
        }
    }
}
