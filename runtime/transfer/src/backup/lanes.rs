//! The data objects of a backup, in lanes: each lane reads, digests, compresses and stores every so manieth object.
//!
//! Problem: a put that fails leaves nothing to put again, for an object may be greater than memory, and the volume is the
//! only source there is. So when the store says that a failed put may be made again, the lane's threads end, and it begins
//! again with the first object that is not done. Bound: what one lane has underway is made a second time, at most three
//! objects.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use futures::future::try_join_all;

use super::BackupPlan;
use super::layout::{Layout, Span};
use super::pack::Packer;
use super::put::Putter;
use super::scan;
use super::upload::Uploads;
use crate::codec::Effort;
use crate::control::Control;
use crate::error::TransferError;
use crate::layers::Tries;
use crate::progress::Tally;
use crate::store::unless_cancelled;
use crate::thread::{self, Stop, cause};
use crate::volume::Source;

/// Everything but the control objects.
///
/// The objects go in lanes, one after the other in each, so that several are read, digested, compressed and stored side
/// by side. The first lane that fails ends the others. What the ledger has already is left out.
pub(super) async fn put_data(
    putter: &Putter,
    source: Arc<Source>,
    plan: &BackupPlan,
    layout: Layout,
    spans: &[Span],
) -> Result<(), TransferError> {
    let objects: Vec<(u64, Span)> = (1_u64..)
        .zip(spans.iter().copied())
        .filter(|(number, _)| !putter.ledger.has(*number))
        .collect();
    if objects.is_empty() {
        return Ok(());
    }
    let Control {
        cancel, resources, ..
    } = &putter.control;
    let greatest = objects.iter().map(|(_, span)| span.length).max();
    let effort = Effort::new(
        plan.algorithm.format(),
        objects.len(),
        greatest.unwrap_or(0),
        resources,
    );
    let lanes = resources.lanes(effort.memory, objects.len(), cancel).await?;
    let running = (0..lanes.count).map(|lane| {
        let own: Arc<[(u64, Span)]> = objects.iter().copied().skip(lane).step_by(lanes.count).collect();
        put_lane(putter, source.clone(), plan, layout, effort, own)
    });
    try_join_all(running).await.map(drop)
}

/// Puts the objects of a lane. When one cannot be put now, what was made is gone: it and those behind it are made again
/// from the volume.
async fn put_lane(
    putter: &Putter,
    source: Arc<Source>,
    plan: &BackupPlan,
    layout: Layout,
    effort: Effort,
    mut objects: Arc<[(u64, Span)]>,
) -> Result<(), TransferError> {
    let mut tries = Tries::default();
    loop {
        let tally = Arc::new(Tally::new(putter.control.progress.clone()));
        let put = try_lane(
            putter,
            source.clone(),
            plan,
            layout,
            effort,
            objects.clone(),
            tally.clone(),
        )
        .await;
        let Err(TransferError::Store { failure, .. }) = &put else {
            return put;
        };
        let (done, zeros) = putter
            .ledger
            .forget_unfinished(objects.iter().map(|(number, _)| *number));
        if done > 0 {
            tries = Tries::default();
        }
        let again = putter.store.again(&mut tries, failure);
        if !unless_cancelled(&putter.control.cancel, again).await? {
            return put;
        }
        // Its threads have ended.
        if let Some(tally) = Arc::into_inner(tally) {
            tally.settle(done, zeros);
        }
        let left = objects.iter().filter(|(number, _)| !putter.ledger.has(*number));
        objects = left.copied().collect();
    }
}

/// One attempt at the objects of a lane.
async fn try_lane(
    putter: &Putter,
    source: Arc<Source>,
    plan: &BackupPlan,
    layout: Layout,
    effort: Effort,
    objects: Arc<[(u64, Span)]>,
    tally: Arc<Tally>,
) -> Result<(), TransferError> {
    let together = putter.control.resources.md5().clone();
    let (uploads, mut jobs) = Uploads::new(putter.store.needs(), plan.spool.clone(), together.clone());
    let (to_digest, from_scan) = sync_channel(scan::QUEUE);
    let (to_pack, input) = sync_channel(scan::QUEUE);
    let packer = Packer {
        source: source.clone(),
        layout,
        objects: objects.clone(),
        algorithm: plan.algorithm,
        effort,
        input,
        uploads,
        ledger: putter.ledger.clone(),
        control: putter.control.clone(),
        tally: tally.clone(),
    };
    let (cancel, force) = (putter.control.cancel.clone(), plan.force);
    let scan = thread::spawn("scan", move || {
        scan::scan(&source, &layout, &objects, force, &cancel, &tally, &to_digest)
    })?;
    let digest = thread::spawn("digest", move || scan::digest(&from_scan, &together, &to_pack))?;
    let pack = thread::spawn("pack", move || packer.run())?;
    let put = putter.put_all(&mut jobs).await;
    // Stages that still wait for this one end now.
    drop(jobs);
    if let Err(Stop::Error(TransferError::Cancelled)) = put {
        // Whoever asked to stop does not wait for a volume that hangs; the threads end by themselves.
        return Err(TransferError::Cancelled);
    }
    let stages = [scan.join().await?, digest.join().await?, pack.join().await?, put];
    match cause(stages.into_iter().map(Result::err)) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}
