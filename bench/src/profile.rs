//! Where the processor time of a process goes, by the names of its threads.
//!
//! How: each thread's time on a processor is read every 10 ms from `/proc`, and what it had before is taken off. Bound: what a
//! thread does in its last 10 ms is not seen.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(10);

/// What was seen.
pub(crate) struct Profile {
    pub(crate) what: &'static str,
    pub(crate) algorithm: &'static str,
    /// From begin to end, in seconds.
    pub(crate) wall: f64,
    /// Seconds on a processor, of all threads of a name together.
    pub(crate) threads: Vec<(String, f64)>,
}

type Times = BTreeMap<u32, (String, u64)>;

/// A profile that is being made.
pub(crate) struct Profiling {
    begin: Instant,
    stop: Arc<AtomicBool>,
    seen: JoinHandle<Times>,
    before: Times,
}

impl Profiling {
    pub(crate) fn start(pid: u32) -> Self {
        let before = times(pid);
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let seen = std::thread::spawn(move || {
            let mut seen = Times::new();
            while !told.load(Ordering::Relaxed) {
                seen.extend(times(pid));
                std::thread::sleep(PAUSE);
            }
            seen.extend(times(pid));
            seen
        });
        Profiling {
            begin: Instant::now(),
            stop,
            seen,
            before,
        }
    }

    pub(crate) fn end(self, what: &'static str, algorithm: &'static str) -> Profile {
        let wall = self.begin.elapsed().as_secs_f64();
        self.stop.store(true, Ordering::Relaxed);
        let mut names: BTreeMap<String, f64> = BTreeMap::new();
        for (thread, (name, nanoseconds)) in self.seen.join().unwrap_or_default() {
            let before = self.before.get(&thread).map_or(0, |(_, before)| *before);
            *names.entry(name).or_default() += nanoseconds.saturating_sub(before) as f64 / 1e9;
        }
        let mut threads: Vec<_> = names
            .into_iter()
            .filter(|(_, seconds)| *seconds >= 0.01)
            .collect();
        threads.sort_by(|one, other| other.1.total_cmp(&one.1));
        Profile {
            what,
            algorithm,
            wall,
            threads,
        }
    }
}

/// Nanoseconds on a processor of each thread.
fn times(pid: u32) -> Times {
    let folder = std::fs::read_dir(format!("/proc/{pid}/task"));
    let threads = folder.into_iter().flatten().flatten();
    threads
        .filter_map(|entry| {
            let path = entry.path();
            let name = std::fs::read_to_string(path.join("comm")).ok()?;
            let spent = std::fs::read_to_string(path.join("schedstat")).ok()?;
            let thread = entry.file_name().to_str()?.parse().ok()?;
            Some((
                thread,
                (name.trim().to_owned(), spent.split(' ').next()?.parse().ok()?),
            ))
        })
        .collect()
}
