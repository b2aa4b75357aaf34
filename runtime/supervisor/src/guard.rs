//! Calls to a driver that always end.
//!
//! Problem: the sandbox keeps deadlines, but the supervisor's promise must not rest on one mechanism. How: every call
//! has a net one second beyond its deadline; when it catches, the future is dropped and the call has failed. A panic
//! in the call is a failure too. Cost: one timer per call.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_sandbox::{Failure, Phase};
use futures::FutureExt;
use tokio::time::{Instant, timeout};

use crate::driver::{Driver, Initialized};
use crate::settings::Settings;

/// How long after its deadline a call is given up.
const NET: Duration = Duration::from_secs(1);

/// When loading is given up; it has bounds of its own far below this.
const LOAD_NET: Duration = Duration::from_secs(600);

/// One try to initialise.
pub(crate) struct Attempt<R> {
    pub(crate) result: Result<Initialized<R>, Failure>,
    /// Time of the initialisation without loading; of loading, when that failed.
    pub(crate) took: Duration,
}

/// Loads and initialises.
pub(crate) async fn initialize<D: Driver>(driver: Arc<D>, settings: Settings) -> Attempt<D::Ready> {
    let began = Instant::now();
    if let Err(failure) = caught(driver.load(), Phase::Load, LOAD_NET, LOAD_NET).await {
        return Attempt {
            result: Err(failure),
            took: began.elapsed(),
        };
    }
    let began = Instant::now();
    let limit = settings.initialization_timeout;
    let call = driver.initialize(began + limit, limit, settings.initialization_fuel);
    let result = caught(call, Phase::DoSetup, limit, limit + NET).await;
    Attempt {
        result,
        took: began.elapsed(),
    }
}

/// Probes.
pub(crate) async fn probe<D: Driver>(
    driver: Arc<D>,
    ready: Arc<D::Ready>,
    limit: Duration,
) -> Result<(), Failure> {
    let call = driver.probe(&ready, Instant::now() + limit, limit);
    caught(call, Phase::Probe, limit, limit + NET).await
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
