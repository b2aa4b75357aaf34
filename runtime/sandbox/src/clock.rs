//! The epoch ticker: the backstop for guests that do not come back to the wrapper.
//!
//! One per process, on an OS thread of its own, for life: a ticker on the async runtime starves exactly when it is
//! needed. A dead ticker would make guests immortal, so it leaves a heartbeat, and no call begins without a
//! fresh one. Cost: one wake-up and one atomic add every 10 ms.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wasmtime::Engine;

use crate::limits::TICK;

/// A heartbeat older than this means that the ticker is dead (or the whole machine stood still).
const DEAD_AFTER: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Shared {
    start: Instant,
    beat: AtomicU64,
    stop: AtomicBool,
}

/// The process's ticker; stops when dropped.
#[derive(Debug)]
pub(crate) struct Ticker(Arc<Shared>);

impl Ticker {
    /// Starts the ticker's thread.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            start: Instant::now(),
            beat: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        });
        let (ticking, engine) = (shared.clone(), engine.weak());
        std::thread::Builder::new()
            .name("cofferdam-tick".into())
            .spawn(move || {
                while !ticking.stop.load(Ordering::Relaxed) {
                    std::thread::sleep(TICK);
                    let Some(engine) = engine.upgrade() else { return };
                    engine.increment_epoch();
                    ticking
                        .beat
                        .store(ticking.start.elapsed().as_millis() as u64, Ordering::Relaxed);
                }
            })?;
        Ok(Ticker(shared))
    }

    /// Whether the last tick is recent.
    pub(crate) fn is_alive(&self) -> bool {
        let beat = Duration::from_millis(self.0.beat.load(Ordering::Relaxed));
        self.0.start.elapsed().saturating_sub(beat) < DEAD_AFTER
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}
