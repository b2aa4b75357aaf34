//! `GET /metrics`: the state of every backend in the OpenMetrics text that Prometheus reads.
//!
//! Nothing is kept for it: each answer is made from the statuses as they are then, one row of [`GAUGES`],
//! [`COUNTERS`] and [`TOTALS`] per metric. Names follow Prometheus' conventions (prefix, base units, `_total`); labels are the backend,
//! and where it says so a phase, a result or a code, so that their number is bounded by the configuration.

use std::sync::atomic::AtomicU64;

use cofferdam_manager::{Manager, Phase, ServiceState, ServiceStatus};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The answer's type.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels = Vec<(&'static str, String)>;
type Gauges = Family<Labels, Gauge<f64, AtomicU64>>;

/// A gauge per backend; `None`: nothing to tell yet.
type Reading = fn(&ServiceStatus) -> Option<f64>;

const GAUGES: &[(&str, &str, Reading)] = &[
    (
        "backend_up",
        "1 when operations may use the backend, else 0",
        |service| Some(f64::from(u8::from(service.status.state == ServiceState::Up))),
    ),
    (
        "backend_state_since_timestamp_seconds",
        "Since when it is up, down or disabled",
        |service| Some(seconds(service.status.since)),
    ),
    (
        "backend_initialization_attempt",
        "Tries to initialise it since it was last up",
        |service| Some(service.status.attempt as f64),
    ),
    (
        "backend_consecutive_failures",
        "Failed initialisations and probes since the last success",
        |service| Some(service.status.consecutive_failures.into()),
    ),
    (
        "backend_last_success_timestamp_seconds",
        "Last successful initialisation or probe",
        |service| service.status.last_success.map(seconds),
    ),
    (
        "backend_last_probe_timestamp_seconds",
        "End of the last probe",
        |service| service.status.last_probe.map(seconds),
    ),
    (
        "backend_next_try_timestamp_seconds",
        "Next probe, or next try to initialise",
        |service| service.status.next_try.map(seconds),
    ),
    (
        "backend_heartbeat_timestamp_seconds",
        "Last heartbeat",
        |service| service.status.heartbeat.map(seconds),
    ),
    (
        "backend_last_initialization_seconds",
        "Wall-clock time of the last initialisation",
        |service| Some(service.status.last_initialization?.duration_ms / 1e3),
    ),
    (
        "backend_last_initialization_fuel",
        "Units of fuel that the last initialisation used",
        |service| Some(service.status.last_initialization?.fuel as f64),
    ),
    (
        "backend_last_initialization_peak_memory_bytes",
        "Most guest memory in one instance during the last initialisation",
        |service| Some(service.status.last_initialization?.peak_memory as f64),
    ),
];

/// A counter per backend and result.
type Count = fn(&ServiceStatus) -> u64;
type Results = &'static [(&'static str, Count)];

const COUNTERS: &[(&str, &str, Results)] = &[
    (
        "backend_initializations",
        "Initialisations since the service started",
        &[
            ("success", |service| {
                service.status.counts.initializations_succeeded
            }),
            ("failure", |service| service.status.counts.initializations_failed),
        ],
    ),
    (
        "backend_probes",
        "Probes since the service started",
        &[
            ("success", |service| service.status.counts.probes_succeeded),
            ("failure", |service| service.status.counts.probes_failed),
        ],
    ),
];

/// A counter per backend that its status does not have.
type Total = fn(&Manager, &str) -> u64;

const TOTALS: &[(&str, &str, Total)] = &[
    (
        "driver_denials",
        "Requests and connections that a driver wanted and that were not granted, since the service started",
        Manager::denials,
    ),
    (
        "driver_retries",
        "Calls of a driver that failed and were made again, since the backend was configured",
        Manager::retries,
    ),
];

fn seconds(time: jiff::Timestamp) -> f64 {
    time.as_millisecond() as f64 / 1e3
}

/// The whole text.
pub(crate) fn text(manager: &Manager) -> String {
    let services = manager.services();
    let mut registry = Registry::with_prefix("cofferdam");
    for (name, help, read) in GAUGES {
        let family = Gauges::default();
        for service in &services {
            if let Some(value) = read(service) {
                family.get_or_create(&backend(service)).set(value);
            }
        }
        registry.register(*name, *help, family);
    }
    for (name, help, results) in COUNTERS {
        let family = Family::<Labels, Counter>::default();
        for service in &services {
            for (result, count) in *results {
                let mut labels = backend(service);
                labels.push(("result", (*result).to_owned()));
                family.get_or_create(&labels).inc_by(count(service));
            }
        }
        registry.register(*name, *help, family);
    }
    let transitions = Family::<Labels, Counter>::default();
    let (phases, reasons) = (Gauges::default(), Gauges::default());
    for service in &services {
        transitions
            .get_or_create(&backend(service))
            .inc_by(service.status.counts.transitions);
        for phase in Phase::ALL {
            let mut labels = backend(service);
            labels.push(("phase", phase.name().to_owned()));
            let is = f64::from(u8::from(service.status.phase == phase));
            phases.get_or_create(&labels).set(is);
        }
        if let Some(code) = &service.status.code {
            let mut labels = backend(service);
            labels.push(("code", code.clone()));
            reasons.get_or_create(&labels).set(1.0);
        }
    }
    registry.register(
        "backend_transitions",
        "Changes of phase since the service started",
        transitions,
    );
    registry.register("backend_phase", "1 for the phase that the backend is in", phases);
    registry.register(
        "backend_reason",
        "1 for the code that the backend is down or degraded for",
        reasons,
    );

    let threads = Gauge::<f64, AtomicU64>::default();
    threads.set(manager.threads_ending() as f64);
    registry.register(
        "driver_threads_ending",
        "Threads of ended driver instances that have not come back; stuck in the kernel if it lasts",
        threads,
    );
    for (name, help, count) in TOTALS {
        let family = Family::<Labels, Counter>::default();
        for service in &services {
            let count = count(manager, &service.status.name);
            family.get_or_create(&backend(service)).inc_by(count);
        }
        registry.register(*name, *help, family);
    }
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
    registry.register(
        "webhook_events",
        "Events for the webhook since the service started",
        deliveries,
    );
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = encode(&mut text, &registry);
    text
}

fn backend(service: &ServiceStatus) -> Labels {
    vec![("backend", service.status.name.clone())]
}
