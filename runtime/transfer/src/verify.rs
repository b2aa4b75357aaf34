//! Verifies a backup, with what it builds on: reads it exactly as a restore does, and writes nothing.
//!
//! It reports everything that is wrong, not only the first. A backup that could not be read is not called corrupt, and
//! one is called so only when a second reading finds it so too: a bad moment of network or memory is not the backup's
//! fault.

use std::sync::Arc;

use crate::control::Control;
use crate::error::TransferError;
use crate::manifest::{self, Link};
use crate::progress::Phase;
use crate::read::{Read, Reading, Sink};
use crate::store::ObjectStore;

/// What a verification says.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Every byte is what was written.
    Ok {
        /// Data objects read.
        objects: u64,
        /// Bytes of volume compared.
        bytes: u64,
    },
    /// It is damaged.
    Corrupt {
        /// Everything that was found; at least one. When reading had to stop early there may be more.
        findings: Vec<TransferError>,
    },
    /// It could not be read to the end, and nothing wrong was found so far.
    Unreadable {
        /// Why.
        error: TransferError,
    },
}

/// Reads the whole backup and checks every byte, twice when something is wrong. `chain` is the backup itself, then what it builds on, down to a full one.
pub async fn verify(store: Arc<dyn ObjectStore>, chain: &[Link], control: Control) -> Verdict {
    let mut verdict = once(&*store, chain, &control).await;
    if let Verdict::Corrupt { findings } = &verdict {
        tracing::warn!(
            findings = findings.len(),
            "a backup looks corrupt; it is read again before it is called so"
        );
        control.progress.begin_again();
        verdict = once(&*store, chain, &control).await;
    }
    control.progress.enter(Phase::Ended);
    verdict
}

async fn once(store: &dyn ObjectStore, chain: &[Link], control: &Control) -> Verdict {
    control.progress.enter(Phase::Preparing);
    match run(store, chain, control).await {
        Ok(verdict) => verdict,
        Err(error) if error.is_corruption() => Verdict::Corrupt {
            findings: vec![error],
        },
        Err(error) => Verdict::Unreadable { error },
    }
}

/// Takes everything, keeps nothing.
struct Nowhere;

impl Sink for Nowhere {
    fn write_at(&mut self, _offset: u64, _data: &[u8]) -> Result<u64, TransferError> {
        Ok(0)
    }
}

async fn run(store: &dyn ObjectStore, chain: &[Link], control: &Control) -> Result<Verdict, TransferError> {
    let mut manifest = manifest::open(store, chain, &control.cancel).await?;
    let mut findings = std::mem::take(&mut manifest.findings);
    let (bytes, blocks) = (manifest.bytes, manifest.blocks());
    let objects = manifest
        .generations
        .iter()
        .map(|one| one.metadata.objects.len() as u64);
    let objects = objects.sum();
    control.progress.set_total(bytes);
    control.progress.enter(Phase::Data);
    let reading = Reading {
        store,
        control,
        stop_at_fault: false,
    };
    let Read {
        faults,
        failure,
        sink,
    } = reading.run(Arc::new(manifest), Nowhere).await?;
    findings.extend(faults);
    if !findings.is_empty() {
        if let Some(error) = failure {
            tracing::warn!(code = error.code(), %error, "a corrupt backup could not be read to the end");
        }
        return Ok(Verdict::Corrupt { findings });
    }
    match (failure, sink) {
        (Some(error), _) => Err(error),
        (None, Some((_, compared))) if compared == blocks && blocks > 0 => Ok(Verdict::Ok { objects, bytes }),
        (None, _) => Err(TransferError::internal(
            "not every block of the volume was compared with its digest",
        )),
    }
}
