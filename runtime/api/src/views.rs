//! From the manager's values to what goes over the wire.

use cofferdam_manager::{
    Adopted, BackupRecord, EventRecord, ManagerError, OperationState, OperationStatus, Orphan, ServiceStatus,
};

use crate::model::{
    AdoptedView, BackupView, ErrorView, EventView, OperationView, OrphanView, RefusedView, ServiceView,
};

/// What came of taking in all that a backend holds.
pub(crate) fn adopted(done: Adopted) -> AdoptedView {
    let refused = done.refused.into_iter();
    AdoptedView {
        adopted: done.adopted.iter().map(backup).collect(),
        known: done.known,
        refused: refused
            .map(|(container, prefix, why)| RefusedView {
                container,
                prefix,
                error: error(&why),
            })
            .collect(),
    }
}

/// A service as it goes over the wire.
pub fn service(service: &ServiceStatus) -> ServiceView {
    let status = &service.status;
    let time = |time: Option<jiff::Timestamp>| time.map(|time| time.to_string());
    let last = status.last_initialization.as_ref();
    let works = status.phase.works();
    ServiceView {
        name: status.name.clone(),
        driver: service.driver.clone(),
        state: status.state.to_string(),
        phase: status.phase.to_string(),
        disabled: service.disabled,
        disabled_reason: service.disabled_reason.clone(),
        code: status.code.clone(),
        message: status.message.clone(),
        remedy: status.remedy.clone(),
        since: status.since.to_string(),
        attempt: status.attempt,
        consecutive_failures: status.consecutive_failures.into(),
        last_success: time(status.last_success),
        last_probe: time(status.last_probe),
        next_try: time(status.next_try.filter(|_| !works)),
        next_probe: time(status.next_try.filter(|_| works)),
        heartbeat: time(status.heartbeat),
        initialization_ms: last.map(|last| last.duration_ms),
        initialization_fuel: last.map(|last| last.fuel),
        peak_memory_bytes: last.map(|last| last.peak_memory),
        initializations_succeeded: status.counts.initializations_succeeded,
        initializations_failed: status.counts.initializations_failed,
        probes_succeeded: status.counts.probes_succeeded,
        probes_failed: status.counts.probes_failed,
        transitions: status.counts.transitions,
        threads_ending: service.threads_ending,
    }
}

/// An event as it goes over the wire.
pub fn event(record: &EventRecord) -> EventView {
    EventView {
        number: record.number,
        at: record.at.to_string(),
        backend: record.backend.clone(),
        kind: record.kind.clone(),
        data: serde_json::from_str(&record.payload).unwrap_or_default(),
    }
}

pub(crate) fn backup(record: &BackupRecord) -> BackupView {
    BackupView {
        id: record.id.to_string(),
        status: record.status.to_string(),
        name: record.name.clone(),
        description: record.description.clone(),
        project_id: record.project_id.clone(),
        user_id: record.user_id.clone(),
        metadata: record.metadata.clone(),
        backend: record.backend.clone(),
        scheduling: record.scheduling.clone(),
        snapshot_id: record.snapshot_id.map(|id| id.to_string()),
        volume_id: record.volume_id.to_string(),
        volume_path: record.volume_path.clone(),
        volume_bytes: record.volume_bytes,
        size: record.size_gib,
        container: record.container.clone(),
        prefix: record.prefix.clone(),
        compression: record.algorithm.clone(),
        is_incremental: record.parent_id.is_some(),
        parent_id: record.parent_id.map(|id| id.to_string()),
        object_count: record.object_count,
        stored_bytes: record.stored_bytes,
        fail_code: record.fail_code.clone(),
        fail_reason: record.fail_reason.clone(),
        created_at: record.created_at.to_string(),
        updated_at: record.updated_at.to_string(),
        verified_at: record.verified_at.map(|time| time.to_string()),
        verify_result: record.verify_result.clone(),
    }
}

pub(crate) fn orphan(orphan: Orphan) -> OrphanView {
    OrphanView {
        container: orphan.container,
        name: orphan.name,
        size: orphan.size,
        backup_id: orphan.of.map(|id| id.to_string()),
        removed: orphan.removed,
    }
}

/// An error as it goes over the wire.
pub fn error(error: &ManagerError) -> ErrorView {
    ErrorView {
        code: error.code().to_owned(),
        message: error.to_string(),
        remedy: error.remedy(),
    }
}

pub(crate) fn operation(operation: &OperationStatus) -> OperationView {
    let (state, summary, error) = match &operation.state {
        OperationState::Running => ("running", None, None),
        OperationState::Succeeded(summary) => ("succeeded", Some(summary.clone()), None),
        OperationState::Failed(failure) => ("failed", None, Some(self::error(failure))),
    };
    let about = operation.about.as_ref();
    OperationView {
        id: operation.id.0.to_string(),
        kind: operation.kind.name().to_owned(),
        backup_id: operation.backup.to_string(),
        backend: about.map(|about| about.backend.clone()),
        volume: about.map(|about| about.volume.clone()),
        state: state.to_owned(),
        phase: operation.progress.phase.name().to_owned(),
        started_at: operation.started.to_string(),
        ended_at: operation.ended.map(|time| time.to_string()),
        bytes_done: operation.progress.done,
        bytes_total: operation.progress.total,
        bytes_stored: operation.progress.stored,
        bytes_skipped: operation.progress.skipped,
        summary,
        error,
    }
}
