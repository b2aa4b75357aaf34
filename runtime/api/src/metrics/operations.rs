//! What is told of operations: how many, how they ended, how long they took, what they moved, and how old the newest backup
//! of each backend is.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

use cofferdam_manager::{Manager, Moved, OperationKind, ServiceStatus};
use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::histogram::Readings;
use super::{Gauges, Labels, register, seconds};

/// A counter of bytes of one kind of operation.
type Bytes = fn(&Moved) -> u64;

const BYTES: &[(&str, &str, OperationKind, Bytes)] = &[
    (
        "backup_read_bytes",
        "Bytes of volumes that backups have read",
        OperationKind::Create,
        |moved| moved.touched,
    ),
    (
        "backup_skipped_bytes",
        "Bytes of volumes that backups did not store: holes, zeros",
        OperationKind::Create,
        |moved| moved.skipped,
    ),
    (
        "backup_stored_bytes",
        "Bytes of objects that backups have stored",
        OperationKind::Create,
        |moved| moved.stored,
    ),
    (
        "restore_restored_bytes",
        "Bytes of volumes that were restored, holes and zeros included",
        OperationKind::Restore,
        |moved| moved.done,
    ),
    (
        "restore_fetched_bytes",
        "Bytes of objects that restores have fetched",
        OperationKind::Restore,
        |moved| moved.stored,
    ),
    (
        "verify_verified_bytes",
        "Bytes of volumes whose backup was verified",
        OperationKind::Verify,
        |moved| moved.done,
    ),
];

/// Registers what is told of operations.
pub(super) fn add(registry: &mut Registry, manager: &Manager) {
    let totals = manager.operation_totals();
    let (ended, failures) = (
        Family::<Labels, Counter>::default(),
        Family::<Labels, Counter>::default(),
    );
    let (running, waiting) = (Gauges::default(), Gauges::default());
    let mut durations = Readings::default();
    for (kind, totals) in &totals {
        let labels = |name: &'static str, value: &str| vec![label(*kind), (name, value.to_owned())];
        let failed = totals.failed.values().sum();
        for (result, count) in [("success", totals.succeeded), ("failure", failed)] {
            ended.get_or_create(&labels("result", result)).inc_by(count);
        }
        for (code, count) in &totals.failed {
            failures.get_or_create(&labels("code", code)).inc_by(*count);
        }
        let kind = vec![label(*kind)];
        running.get_or_create(&kind).set(totals.running as f64);
        waiting.get_or_create(&kind).set(totals.waiting as f64);
        durations.push(kind, totals.durations.clone());
    }
    let help = "Operations that have ended since the service started";
    register(registry, "operations", help, ended);
    let help = "Operations that have failed since the service started, by code";
    register(registry, "operation_failures", help, failures);
    let help = "Operations that move data now, or delete";
    register(registry, "operations_running", help, running);
    let help = "Operations that move no data yet: they wait for memory or for their backend, or prepare";
    register(registry, "operations_waiting", help, waiting);
    let help = "Wall-clock time of operations that have ended since the service started";
    register(registry, "operation_duration_seconds", help, durations);
    for (name, help, kind, bytes) in BYTES {
        let counter = Counter::<u64, AtomicU64>::default();
        let of_kind = totals.iter().filter(|(of, _)| of == kind);
        counter.inc_by(of_kind.map(|(_, totals)| bytes(&totals.moved)).sum());
        register(registry, name, help, counter);
    }
}

/// Registers when the newest backup of each backend was begun; nothing when the catalog did not say.
pub(super) fn add_newest(
    registry: &mut Registry,
    services: &[ServiceStatus],
    newest: Option<BTreeMap<String, Timestamp>>,
) {
    let Some(newest) = newest else { return };
    let family = Family::<Labels, Gauge<f64, AtomicU64>>::default();
    for service in services {
        if let Some(at) = newest.get(&service.status.name) {
            let labels = vec![("backend", service.status.name.clone())];
            family.get_or_create(&labels).set(seconds(*at));
        }
    }
    let help = "When the newest backup that succeeded was begun; data older than that is safe";
    register(registry, "backup_last_success_timestamp_seconds", help, family);
}

fn label(kind: OperationKind) -> (&'static str, String) {
    ("kind", kind.name().to_owned())
}
