//! Calls to a driver that always end.
//!
//! Problem: the sandbox keeps deadlines, but the supervisor's promise must not rest on one mechanism. How: every call
//! has a net one second beyond its deadline; when it catches, the future is dropped and the call has failed. A panic
//! in the call is a failure too. Cost: one timer per call.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_sandbox::{Budget, Failure, Phase};
use futures::FutureExt;
use tokio::time::{Instant, timeout};

use crate::driver::Driver;
use crate::pace::Pace;
use crate::settings::Settings;
use crate::status::Initialization;

/// How long after its deadline a call is given up.
const NET: Duration = Duration::from_secs(1);

/// When loading is given up; it has bounds of its own far below this.
const LOAD_NET: Duration = Duration::from_secs(600);

/// One try to initialise.
pub(crate) struct Attempt<R> {
    pub(crate) result: Result<Arc<R>, Failure>,
    /// Time of the initialisation without loading; of loading, when that failed. And what it used.
    pub(crate) cost: Initialization,
}

/// Loads and initialises, each when it is its turn to begin.
pub(crate) async fn initialize<D: Driver>(
    driver: Arc<D>,
    settings: Settings,
    pace: Pace,
) -> Attempt<D::Ready> {
    let begin = || {
        (
            Instant::now(),
            Budget::new(settings.initialization_timeout, settings.initialization_fuel),
        )
    };
    let attempt = |began: Instant, budget: &Budget, result| Attempt {
        result,
        cost: Initialization::new(began.elapsed(), budget.used()),
    };
    let loading = pace.begin(|| {
        let (began, budget) = begin();
        let driver = driver.clone();
        async move {
            let loaded = caught(driver.load(), Phase::Load, LOAD_NET, LOAD_NET).await;
            loaded.map_err(|failure| attempt(began, &budget, Err(failure)))
        }
    });
    if let Err(failed) = loading.await {
        return failed;
    }
    let initializing = pace.begin(|| {
        let (began, budget) = begin();
        let driver = driver.clone();
        async move {
            let limit = budget.limit();
            let result = caught(driver.initialize(&budget), Phase::DoSetup, limit, limit + NET).await;
            attempt(began, &budget, result)
        }
    });
    initializing.await
}

/// Probes.
pub(crate) async fn probe<D: Driver>(
    driver: Arc<D>,
    ready: Arc<D::Ready>,
    settings: Settings,
) -> Result<(), Failure> {
    let limit = settings.probe_timeout;
    let budget = Budget::new(limit, settings.initialization_fuel);
    caught(driver.probe(&ready, &budget), Phase::Probe, limit, limit + NET).await
}

async fn caught<T>(
    call: impl Future<Output = Result<T, Failure>>,
    phase: Phase,
    limit: Duration,
    net: Duration,
) -> Result<T, Failure> {
    match timeout(net, AssertUnwindSafe(call).catch_unwind()).await {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => {
            let words = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let words = words
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            Err(Failure::Host {
                phase,
                reason: format!("the host panicked in {phase}: {words}"),
                remedy: "report this to the makers of Cofferdam".into(),
            })
        }
        Err(_) => Err(Failure::WallTimeout { phase, limit }),
    }
}
