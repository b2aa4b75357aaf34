//! Last stage: puts the objects, one at a time in each lane, and takes them back when the backup fails.
//!
//! A backup without `_metadata` is none; so when it fails, whatever may be there of `_metadata` goes first, and only
//! then the rest. What cannot be removed is logged: the record in `error` still names it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use cofferdam_sandbox::Failure;
use cofferdam_sandbox::stream::{self, DEFAULT_PIECES};
use tokio::sync::mpsc;

use super::ledger::Ledger;
use super::upload::{Body, Job, Verdict};
use crate::control::Control;
use crate::error::TransferError;
use crate::format::{ObjectKind, data_name, metadata_name, sha256file_name};
use crate::store::{Location, ObjectStore, unless_cancelled};
use crate::thread::{self, Stop, cause};

pub(super) struct Putter {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) location: Location,
    pub(super) control: Control,
    pub(super) ledger: Arc<Ledger>,
    /// Greatest number of a data object that was begun.
    begun: AtomicU64,
    begun_sha256file: AtomicBool,
    begun_metadata: AtomicBool,
    /// Puts that have not come back; one that was given up never does.
    underway: AtomicUsize,
}

impl Putter {
    pub(super) fn new(
        store: Arc<dyn ObjectStore>,
        location: Location,
        control: Control,
        ledger: Arc<Ledger>,
        begun: u64,
    ) -> Self {
        Putter {
            store,
            location,
            control,
            ledger,
            begun: AtomicU64::new(begun),
            begun_sha256file: AtomicBool::new(false),
            begun_metadata: AtomicBool::new(false),
            underway: AtomicUsize::new(0),
        }
    }

    fn name(&self, kind: ObjectKind) -> String {
        match kind {
            ObjectKind::Data(number) => data_name(&self.location.prefix, number),
            ObjectKind::Sha256file => sha256file_name(&self.location.prefix),
            ObjectKind::Metadata => metadata_name(&self.location.prefix),
        }
    }

    /// Puts what comes until no more comes.
    pub(super) async fn put_all(&self, jobs: &mut mpsc::Receiver<Job>) -> Result<(), Stop> {
        let cancel = self.control.cancel.clone();
        while let Some(job) = unless_cancelled(&cancel, jobs.recv()).await? {
            match job.kind {
                ObjectKind::Data(number) => drop(self.begun.fetch_max(number, Ordering::Relaxed)),
                ObjectKind::Sha256file => self.begun_sha256file.store(true, Ordering::Relaxed),
                ObjectKind::Metadata => self.begun_metadata.store(true, Ordering::Relaxed),
            }
            let kind = job.kind;
            self.underway.fetch_add(1, Ordering::Relaxed);
            let put = unless_cancelled(&cancel, self.put(job)).await?;
            self.underway.fetch_sub(1, Ordering::Relaxed);
            let written = put?;
            if let (ObjectKind::Data(number), Some(written)) = (kind, written) {
                self.control.progress.add_stored(written);
                self.ledger.stored(number, written);
            }
        }
        Ok(())
    }

    /// Puts one object; says how many bytes it has, `None` when it was given up.
    async fn put(&self, job: Job) -> Result<Option<u64>, Stop> {
        let name = self.name(job.kind);
        let at = self.location.address(&name);
        let failed = |failure: Failure| TransferError::Store {
            action: format!("storing object {name}"),
            failure,
        };
        match job.body {
            Body::Streamed(reader, verdict) => {
                let stored = self.store.put_object(at, reader, job.info).await;
                match (stored, verdict.await) {
                    (Ok(()), Ok(Verdict::Whole(written))) => Ok(Some(written)),
                    (Err(_), Ok(Verdict::GivenUp)) => Ok(None),
                    (Err(failure), _) => Err(failed(failure).into()),
                    (Ok(()), Ok(Verdict::GivenUp)) => {
                        let reason = format!("it stored object {name} although its body failed");
                        Err(TransferError::DriverContract { reason }.into())
                    }
                    // Its maker failed, and then that is the cause; or the driver left bytes unread.
                    (Ok(()), Err(_)) => {
                        let reason = format!("it stored object {name} without its whole body");
                        Err(TransferError::DriverContract { reason }.into())
                    }
                }
            }
            Body::Collected(spool) => {
                let size = spool.size();
                let (writer, reader) = stream::channel(DEFAULT_PIECES);
                let pump = thread::spawn("spool", move || spool.pump(writer))?;
                let stored = self.store.put_object(at, reader, job.info).await;
                let pumped = pump.join().await?;
                let failure = stored.err().map(|failure| Stop::Error(failed(failure)));
                match cause([
                    pumped.err().filter(|stop| matches!(stop, Stop::Error(_))),
                    failure,
                ]) {
                    Some(error) => Err(error.into()),
                    None => Ok(Some(size)),
                }
            }
        }
    }

    /// Best effort: removes what a failed backup has put.
    pub(super) async fn clean_up(&self) {
        if self.underway.load(Ordering::Relaxed) > 0 {
            // A lane that failed has ended the others in the middle of their puts.
            self.store.quiet().await;
        }
        let control = [
            (&self.begun_metadata, ObjectKind::Metadata),
            (&self.begun_sha256file, ObjectKind::Sha256file),
        ];
        let control = control
            .into_iter()
            .filter(|(begun, _)| begun.load(Ordering::Relaxed))
            .map(|(_, kind)| kind);
        let kinds = control.chain(
            (1..=self.begun.load(Ordering::Relaxed))
                .rev()
                .map(ObjectKind::Data),
        );
        for (removed, kind) in kinds.enumerate() {
            let name = self.name(kind);
            if let Err(failure) = self.store.delete_object(self.location.address(&name)).await {
                tracing::warn!(
                    container = %self.location.container, object = %name, code = failure.code(), %failure, removed,
                    "a failed backup could not be cleaned up; delete it to remove its objects"
                );
                return;
            }
        }
    }
}
