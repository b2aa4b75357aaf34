//! What an operation shares with whoever started it: how far it is, whether it should stop, and how much of the machine
//! it may use.
//!
//! Memory is one budget for all operations together: each takes what its first lane needs before it begins, waiting if it must,
//! and what further lanes need only if it is there. So many operations go slowly side by side instead of failing together.
//! Bound: the budget, and about 2 MiB per GiB of volume for digests besides; cost: two additions per operation.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::digest::Together;
use crate::error::TransferError;
use crate::progress::{Cancel, Progress};
use crate::store::unless_cancelled;

/// Objects that are made or read side by side, however many processors there are.
pub(crate) const MOST_LANES: usize = 6;

/// And however few, if there is more than one: so many MD5s take little longer than one.
const USUAL_LANES: usize = 4;

/// Bytes of memory that all operations together use, unless told otherwise.
const DEFAULT_MEMORY: u64 = 256 << 20;

/// Memory is counted in units of so many bytes.
const UNIT: u64 = 1 << 20;

/// How much of the machine all operations together may use.
#[derive(Debug)]
pub struct Resources {
    memory: Semaphore,
    units: u32,
    processors: usize,
    md5: Together,
}

impl Default for Resources {
    fn default() -> Self {
        Self::new(DEFAULT_MEMORY, None)
    }
}

impl Resources {
    /// So many bytes of memory; so many processors for one operation, all that there are when `None`.
    pub fn new(memory: u64, processors: Option<usize>) -> Self {
        let units = u32::try_from(memory / UNIT).unwrap_or(u32::MAX).max(1);
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        let processors = processors.unwrap_or_else(all).max(1);
        Resources {
            memory: Semaphore::new(units as usize),
            units,
            processors,
            md5: Together::start(processors),
        }
    }

    /// Who makes the MD5s of all operations.
    pub(crate) fn md5(&self) -> &Together {
        &self.md5
    }

    /// Threads that compute side by side.
    pub(crate) fn processors(&self) -> usize {
        self.processors
    }

    /// Lanes of an operation that has memory enough, and so many objects.
    pub(crate) fn most_lanes(&self, objects: usize) -> usize {
        let most = match self.processors {
            1 => 1,
            more => more.clamp(USUAL_LANES, MOST_LANES),
        };
        most.min(objects).max(1)
    }

    /// Takes memory for one lane, waiting for it, and for more if it is there. A lane that needs more than all gets all.
    pub(crate) async fn lanes(
        &self,
        each: u64,
        objects: usize,
        cancel: &Cancel,
    ) -> Result<Lanes<'_>, TransferError> {
        let units = u32::try_from(each.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let units = units.clamp(1, self.units);
        let first = unless_cancelled(cancel, self.memory.acquire_many(units)).await?;
        let mut held = vec![first.map_err(|_| TransferError::internal("the memory budget is gone"))?];
        while held.len() < self.most_lanes(objects) {
            match self.memory.try_acquire_many(units) {
                Ok(more) => held.push(more),
                Err(_) => break,
            }
        }
        Ok(Lanes {
            count: held.len(),
            _held: held,
        })
    }
}

/// Lanes of an operation, and the memory that is theirs until this is dropped.
pub(crate) struct Lanes<'a> {
    pub(crate) count: usize,
    _held: Vec<SemaphorePermit<'a>>,
}

/// What an operation shares with whoever started it. Clones are of the same operation.
#[derive(Debug, Clone, Default)]
pub struct Control {
    /// How far it is.
    pub progress: Arc<Progress>,
    /// Whether it should stop.
    pub cancel: Cancel,
    /// What it may use.
    pub resources: Arc<Resources>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_lane_waits_for_memory_and_the_others_do_not() {
        let (resources, cancel) = (Resources::new(10 << 20, Some(4)), Cancel::new());
        let first = resources.lanes(4 << 20, 9, &cancel).await.unwrap();
        assert_eq!(first.count, 2, "the budget holds two");
        let mut second = std::pin::pin!(resources.lanes(4 << 20, 9, &cancel));
        assert!(futures::poll!(second.as_mut()).is_pending());
        drop(first);
        assert_eq!(second.await.unwrap().count, 2);
        let greedy = resources.lanes(1 << 40, 9, &cancel).await.unwrap();
        assert_eq!(greedy.count, 1, "more than all is all");
        cancel.cancel();
        assert_eq!(
            resources
                .lanes(1, 9, &cancel)
                .await
                .err()
                .map(|error| error.code()),
            Some("cancelled")
        );
    }

    #[tokio::test]
    async fn lanes_are_bounded_by_processors_and_objects() {
        let cancel = Cancel::new();
        for (processors, objects, expected) in [(1, 9, 1), (2, 9, 4), (5, 9, 5), (5, 2, 2), (5, 0, 1)] {
            let resources = Resources::new(1 << 30, Some(processors));
            assert_eq!(
                resources.lanes(1, objects, &cancel).await.unwrap().count,
                expected
            );
        }
        let resources = Resources::new(1 << 30, Some(99));
        assert_eq!(resources.lanes(1, 99, &cancel).await.unwrap().count, MOST_LANES);
    }
}
