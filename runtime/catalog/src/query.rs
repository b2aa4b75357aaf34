//! Which records a list shows, in which order, and which page of it: what Cinder's list parameters say, as values.
//!
//! Ties are ordered by id, in the direction of the first key, so the order is total and a marker names one place in it. A
//! row without a value is sorted as one with an empty text.

use uuid::Uuid;

use crate::columns::{BackupColumn, Column, MessageColumn, SnapshotColumn, VolumeColumn};

/// Keys of one sorting, filters of one list, and values of one filter, at most: what more could only be an attack.
pub const MAX_SORT_KEYS: usize = 8;
/// See [`MAX_SORT_KEYS`].
pub const MAX_FILTERS: usize = 50;
/// See [`MAX_SORT_KEYS`].
pub const MAX_VALUES: usize = 1000;

/// The direction of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The least first.
    Ascending,
    /// The greatest first.
    Descending,
}

impl Direction {
    /// The other one.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Direction::Ascending => Direction::Descending,
            Direction::Descending => Direction::Ascending,
        }
    }
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are Cinder's operators")]
pub enum Comparison {
    Gt,
    Gte,
    Lt,
    Lte,
}

/// What a record must be like. Values are texts as a user writes them; the column says what they mean, and one that means
/// nothing there is refused as [`crate::CatalogError::Invalid`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter<C> {
    /// The column has that value.
    Equal(C, String),
    /// The column has another value, or none.
    NotEqual(C, String),
    /// The column has one of those values.
    In(C, Vec<String>),
    /// That text is within the column's (Cinder: `~=`). Letters of ASCII are alike, great or small.
    Like(C, String),
    /// The column has a value on that side of this one.
    Compare(C, Comparison, String),
    /// The metadata have that key with that value. Refused where records have none.
    Metadata(String, String),
}

/// A list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery<C> {
    /// Only this project's; of all projects when there is none.
    pub project: Option<String>,
    /// All of them must hold.
    pub filters: Vec<Filter<C>>,
    /// The first key first; none means the newest first.
    pub sort: Vec<(C, Direction)>,
    /// Only what comes after that record.
    pub marker: Option<Uuid>,
    /// At most so many.
    pub limit: u32,
    /// Without the first so many (behind the marker).
    pub offset: u64,
}

impl<C> Default for ListQuery<C> {
    fn default() -> Self {
        ListQuery {
            project: None,
            filters: Vec::new(),
            sort: Vec::new(),
            marker: None,
            limit: 1000,
            offset: 0,
        }
    }
}

impl<C: Column> ListQuery<C> {
    /// All keys of the order, whole: the last one is the id.
    pub fn order(&self) -> Vec<(C, Direction)> {
        let mut order = self.sort.clone();
        if order.is_empty() {
            order.push((C::AGE, Direction::Descending));
        }
        let direction = order.first().map_or(Direction::Descending, |key| key.1);
        if !order.iter().any(|(column, _)| *column == C::ID) {
            order.push((C::ID, direction));
        }
        order
    }
}

/// A list of backups.
pub type BackupQuery = ListQuery<BackupColumn>;
/// A list of volumes.
pub type VolumeQuery = ListQuery<VolumeColumn>;
/// A list of snapshots.
pub type SnapshotQuery = ListQuery<SnapshotColumn>;
/// A list of messages.
pub type MessageQuery = ListQuery<MessageColumn>;
