//! A healthy instance in the same sandbox, probed every few milliseconds from a thread of its own: how slow its
//! slowest answer was, and whether one was lost.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cofferdam_sandbox::{Budget, Instance};
use cofferdam_tests::guests::initialize;
use cofferdam_tests::{PLENTY, TestSandbox, hostile};

/// Between two probes.
const PAUSE: Duration = Duration::from_millis(4);

/// How long one may take before it is lost.
const LIMIT: Duration = Duration::from_secs(1);

/// What was seen since the last look.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    pub(crate) probes: u64,
    pub(crate) lost: u64,
    pub(crate) worst: Duration,
}

pub(crate) struct Neighbour {
    seen: Arc<Mutex<Seen>>,
}

impl Neighbour {
    pub(crate) async fn move_in(test: &TestSandbox) -> Self {
        let driver = test.load(&hostile("good")).await.unwrap();
        let budget = Budget::new(Duration::from_secs(10), PLENTY);
        let instance = initialize(test, &driver, &budget, &[], None).await.unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let watched = Arc::downgrade(&seen);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.unwrap();
            while let Some(seen) = watched.upgrade() {
                let (took, answered) = runtime.block_on(probe(&instance));
                let mut seen = seen.lock().unwrap();
                seen.probes += 1;
                seen.lost += u64::from(!answered);
                seen.worst = seen.worst.max(took);
                drop(seen);
                std::thread::sleep(PAUSE);
            }
        });
        Neighbour { seen }
    }

    /// What was seen since the last look, one probe from now included.
    pub(crate) async fn look(&mut self) -> Seen {
        let before = self.seen.lock().unwrap().probes;
        while self.seen.lock().unwrap().probes < before + 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

async fn probe(instance: &Instance) -> (Duration, bool) {
    let begin = Instant::now();
    let answer = instance.probe(&Budget::new(LIMIT, PLENTY)).await;
    (begin.elapsed(), answer.is_ok())
}
