//! What is told of every backend: one row of [`GAUGES`], [`COUNTERS`] and [`TOTALS`] per metric.
//!
//! Labels are the backend, and where it says so a phase, a result or a code, so that their number is bounded by the
//! configuration and the program.

use cofferdam_manager::{Manager, Phase, ServiceState, ServiceStatus};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::histogram::Readings;
use super::{Gauges, Labels, register, seconds};

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

/// Registers what is told of these backends.
pub(super) fn add(registry: &mut Registry, manager: &Manager, services: &[ServiceStatus]) {
    for (name, help, read) in GAUGES {
        let family = Gauges::default();
        for service in services {
            if let Some(value) = read(service) {
                family.get_or_create(&backend(service)).set(value);
            }
        }
        register(registry, name, help, family);
    }
    for (name, help, results) in COUNTERS {
        let family = Family::<Labels, Counter>::default();
        for service in services {
            for (result, count) in *results {
                let mut labels = backend(service);
                labels.push(("result", (*result).to_owned()));
                family.get_or_create(&labels).inc_by(count(service));
            }
        }
        register(registry, name, help, family);
    }
    for (name, help, count) in TOTALS {
        let family = Family::<Labels, Counter>::default();
        for service in services {
            let count = count(manager, &service.status.name);
            family.get_or_create(&backend(service)).inc_by(count);
        }
        register(registry, name, help, family);
    }
    add_phases(registry, services);
    add_seen(registry, manager, services);
}

fn add_phases(registry: &mut Registry, services: &[ServiceStatus]) {
    let transitions = Family::<Labels, Counter>::default();
    let (phases, reasons) = (Gauges::default(), Gauges::default());
    for service in services {
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
    let help = "Changes of phase since the service started";
    register(registry, "backend_transitions", help, transitions);
    let help = "1 for the phase that the backend is in";
    register(registry, "backend_phase", help, phases);
    let help = "1 for the code that the backend is down or degraded for";
    register(registry, "backend_reason", help, reasons);
}

/// What was seen of events: durations, failures by code.
fn add_seen(registry: &mut Registry, manager: &Manager, services: &[ServiceStatus]) {
    let (mut durations, probes) = (Readings::default(), Gauges::default());
    let failures = Family::<Labels, Counter>::default();
    for service in services {
        let seen = manager.seen(&service.status.name);
        for (result, histogram) in [("success", seen.succeeded), ("failure", seen.failed)] {
            let mut labels = backend(service);
            labels.push(("result", result.to_owned()));
            durations.push(labels, histogram);
        }
        for (code, count) in seen.failures {
            let mut labels = backend(service);
            labels.push(("code", code));
            failures.get_or_create(&labels).inc_by(count);
        }
        if let Some(took) = manager.last_probe(&service.status.name) {
            probes.get_or_create(&backend(service)).set(took.as_secs_f64());
        }
    }
    let help = "Wall-clock time of initialisations since the service started";
    register(
        registry,
        "backend_initialization_duration_seconds",
        help,
        durations,
    );
    let help = "Wall-clock time of the last probe";
    register(registry, "backend_last_probe_seconds", help, probes);
    let help = "Failed initialisations and probes since the service started, by code: deadlines are wall-timeout, \
                crashes trap, out-of-fuel and memory-denied";
    register(registry, "driver_failures", help, failures);
}

fn backend(service: &ServiceStatus) -> Labels {
    vec![("backend", service.status.name.clone())]
}
