//! `GET /metrics`: the service in the OpenMetrics text that Prometheus reads.
//!
//! Nothing is kept for it here but the counts of HTTP requests ([`http`]): each answer is made from what the manager
//! says then. Names follow Prometheus' conventions: prefix, base unit, `_total`; HELP, TYPE and UNIT for each.
//! docs/operations.md lists them all. Bound: labels come from the configuration and the program, never from a request.
//! Cost: the catalog is asked for the newest backups, and waited for no longer than [`CATALOG`]; without an answer that
//! one metric is missing.

mod backends;
mod histogram;
pub(crate) mod http;
mod operations;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use cofferdam_manager::Manager;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

use http::HttpMetrics;

/// The answer's type.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Longest wait for the catalog.
const CATALOG: Duration = Duration::from_secs(2);

type Labels = Vec<(&'static str, String)>;
type Gauges = Family<Labels, Gauge<f64, AtomicU64>>;

fn seconds(time: jiff::Timestamp) -> f64 {
    time.as_millisecond() as f64 / 1e3
}

/// Registers a metric; the unit that its name ends with is told too.
fn register(registry: &mut Registry, name: &str, help: &str, metric: impl Metric) {
    for unit in [Unit::Seconds, Unit::Bytes] {
        let ending = format!("_{}", unit.as_str());
        if let Some(name) = name.strip_suffix(&ending) {
            return registry.register_with_unit(name, help, unit, metric);
        }
    }
    registry.register(name, help, metric);
}

/// The whole text.
pub(crate) async fn text(manager: &Arc<Manager>, http: Option<&HttpMetrics>) -> String {
    let services = manager.services();
    let mut registry = Registry::with_prefix("cofferdam");
    let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
    register(&mut registry, "build", "What runs", build);
    backends::add(&mut registry, manager, &services);
    operations::add(&mut registry, manager);
    // It goes on when it takes longer, and the next answer has it.
    let asked = manager.clone();
    let newest = tokio::spawn(async move { asked.newest_backups().await });
    let newest = tokio::time::timeout(CATALOG, newest).await;
    let newest = newest.ok().and_then(Result::ok).and_then(Result::ok);
    operations::add_newest(&mut registry, &services, newest);
    add_process(&mut registry, manager);
    if let Some(http) = http {
        http.add(&mut registry);
    }
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = encode(&mut text, &registry);
    text
}

fn add_process(registry: &mut Registry, manager: &Manager) {
    let threads = Gauge::<f64, AtomicU64>::default();
    threads.set(manager.threads_ending() as f64);
    let help = "Threads of ended driver instances that have not come back; stuck in the kernel if it lasts";
    register(registry, "driver_threads_ending", help, threads);
    let deliveries = Family::<Labels, Counter>::default();
    let counts = manager.deliveries();
    for (result, count) in [
        ("sent", counts.sent()),
        ("given-up", counts.given_up()),
        ("lost", counts.lost()),
    ] {
        deliveries
            .get_or_create(&vec![("result", result.to_owned())])
            .inc_by(count);
    }
    let help = "Events for the webhook since the service started";
    register(registry, "webhook_events", help, deliveries);
}
