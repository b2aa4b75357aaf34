//! One memory budget per instance over all its memories and tables together.
//!
//! wasmtime's own limits count each memory alone, and a refused growth only gives the guest -1, which most runtimes
//! turn into a mysterious abort. Here the refusal ends the call with [`MemoryDenied`], which says how much was
//! wanted. Cost: one addition per growth.

use wasmtime::ResourceLimiter;

/// Host bytes that one table element takes.
const TABLE_ELEMENT: u64 = 16;

/// The instance wanted more than its budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{wanted} bytes of memory wanted in all, {limit} allowed")]
pub(crate) struct MemoryDenied {
    pub(crate) wanted: u64,
    pub(crate) limit: u64,
}

/// Counts what an instance holds.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    limit: u64,
    used: u64,
    peak: u64,
    count: usize,
}

impl MemoryBudget {
    pub(crate) fn new(limit: u64, count: usize) -> Self {
        MemoryBudget {
            limit,
            used: 0,
            peak: 0,
            count,
        }
    }

    /// The most bytes that were held at once.
    pub(crate) fn peak(&self) -> u64 {
        self.peak
    }

    fn grow(&mut self, by: u64) -> wasmtime::Result<bool> {
        let wanted = self.used.saturating_add(by);
        if wanted > self.limit {
            return Err(wasmtime::Error::new(MemoryDenied {
                wanted,
                limit: self.limit,
            }));
        }
        self.used = wanted;
        self.peak = self.peak.max(wanted);
        Ok(true)
    }
}

impl ResourceLimiter for MemoryBudget {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.grow((desired as u64).saturating_sub(current as u64))
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(
            (desired as u64)
                .saturating_sub(current as u64)
                .saturating_mul(TABLE_ELEMENT),
        )
    }

    fn instances(&self) -> usize {
        self.count
    }

    fn tables(&self) -> usize {
        self.count
    }

    fn memories(&self) -> usize {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_share_one_budget() {
        let mut budget = MemoryBudget::new(1000, 10);
        assert!(budget.memory_growing(0, 600, None).unwrap());
        assert!(budget.table_growing(0, 20, None).unwrap());
        let error = budget.memory_growing(600, 700, None).unwrap_err();
        assert_eq!(
            error.downcast_ref(),
            Some(&MemoryDenied {
                wanted: 1020,
                limit: 1000
            })
        );
        assert_eq!(budget.peak(), 920);
    }
}
