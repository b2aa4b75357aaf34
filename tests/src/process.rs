//! What a process uses, read from `/proc`.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Threads, files and memory of a process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Threads.
    pub threads: u64,
    /// Open file descriptors.
    pub files: u64,
    /// Resident memory in KiB.
    pub rss_kib: u64,
}

impl Usage {
    /// What a process uses now.
    ///
    /// # Panics
    /// When it has ended.
    pub fn of(pid: u32) -> Self {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let status = std::fs::read_to_string(folder.join("status")).expect("the process lives");
        let fields: BTreeMap<&str, &str> = status.lines().filter_map(|line| line.split_once(':')).collect();
        let number = |name: &str| {
            let first = fields.get(name).and_then(|text| text.split_whitespace().next());
            first.and_then(|text| text.parse().ok()).unwrap_or_default()
        };
        Usage {
            threads: number("Threads"),
            files: std::fs::read_dir(folder.join("fd")).map_or(0, |entries| entries.count() as u64),
            rss_kib: number("VmRSS"),
        }
    }

    /// Of each, what a quarter of the looks was not above; zeros when there are none.
    pub fn lower_quartile(looks: &[Usage]) -> Self {
        let of = |part: fn(&Usage) -> u64| {
            let mut all: Vec<u64> = looks.iter().map(part).collect();
            all.sort_unstable();
            all.get(all.len() / 4).copied().unwrap_or_default()
        };
        Usage {
            threads: of(|look| look.threads),
            files: of(|look| look.files),
            rss_kib: of(|look| look.rss_kib),
        }
    }

    /// The greater of each.
    #[must_use]
    pub fn most(self, other: Self) -> Self {
        Usage {
            threads: self.threads.max(other.threads),
            files: self.files.max(other.files),
            rss_kib: self.rss_kib.max(other.rss_kib),
        }
    }
}

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} threads, {} files, {:.1} MiB",
            self.threads,
            self.files,
            self.rss_kib as f64 / 1024.0
        )
    }
}
