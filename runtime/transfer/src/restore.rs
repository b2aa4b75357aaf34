//! Restores a backup, with what it builds on: the target is finished only when every byte was checked.
//!
//! Bound and cost: see `read`. A new target appears under its name at the very end or not at all; a target that is
//! overwritten in place and then fails is left partly written, and the error says so by existing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::control::Control;
use crate::error::TransferError;
use crate::manifest::{self, Link};
use crate::progress::Phase;
use crate::read::{Read, Reading};
use crate::store::ObjectStore;
use crate::thread;
use crate::volume::Target;

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreOutcome {
    /// Data objects of the backup and of those that it builds on.
    pub object_count: u64,
    /// Bytes of volume.
    pub bytes: u64,
    /// Bytes of zeros that a new file has as holes.
    pub zero_bytes: u64,
    /// What the backup keeps of its volume beside the data (Cinder's `volume_meta`).
    pub volume_meta: Option<String>,
}

/// Restores a backup onto a new file or, with `overwrite`, onto what is there. `chain` is the backup itself, then what it
/// builds on, down to a full one.
///
/// # Errors
/// What is wrong with backup, store or target. A new target is not there then.
pub async fn restore(
    store: Arc<dyn ObjectStore>,
    chain: &[Link],
    target: &Path,
    overwrite: bool,
    control: Control,
) -> Result<RestoreOutcome, TransferError> {
    control.progress.enter(Phase::Preparing);
    let target = Place {
        path: target.to_owned(),
        overwrite,
    };
    let result = run(&*store, chain, target, &control).await;
    control.progress.enter(Phase::Ended);
    result
}

struct Place {
    path: PathBuf,
    overwrite: bool,
}

async fn run(
    store: &dyn ObjectStore,
    chain: &[Link],
    place: Place,
    control: &Control,
) -> Result<RestoreOutcome, TransferError> {
    let Control { progress, cancel, .. } = control;
    let mut manifest = manifest::open(store, chain, cancel).await?;
    if !manifest.findings.is_empty() {
        return Err(manifest.findings.swap_remove(0));
    }
    let bytes = manifest.bytes;
    let blocks = manifest.blocks();
    let objects = manifest
        .generations
        .iter()
        .map(|one| one.metadata.objects.len() as u64);
    let object_count = objects.sum();
    let volume_meta = manifest
        .generations
        .first()
        .and_then(|newest| newest.metadata.volume_meta.clone());
    progress.set_total(bytes);
    let target = thread::spawn("open", move || Target::open(&place.path, place.overwrite, bytes))?
        .join()
        .await??;

    progress.enter(Phase::Data);
    let reading = Reading {
        store,
        control,
        stop_at_fault: true,
    };
    let Read {
        faults,
        failure,
        sink,
    } = reading.run(Arc::new(manifest), target).await?;
    if let Some(error) = faults.into_iter().next().or(failure) {
        return Err(error);
    }
    let Some((target, _)) = sink.filter(|(_, compared)| *compared == blocks && blocks > 0) else {
        return Err(TransferError::internal(
            "not every block of the restored volume was compared with its digest",
        ));
    };

    progress.enter(Phase::Finishing);
    if cancel.is_cancelled() {
        return Err(TransferError::Cancelled);
    }
    let zero_bytes = target.skipped();
    thread::spawn("finish", move || target.finish())?.join().await??;
    Ok(RestoreOutcome {
        object_count,
        bytes,
        zero_bytes,
        volume_meta,
    })
}
