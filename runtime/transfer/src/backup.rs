//! A backup, full or incremental: volume → objects, with the commit mark last.
//!
//! Problem: hashing, compressing and storing take long each, objects are greater than memory, and a backup that is
//! interrupted anywhere must not look whole. So: three threads and the store work side by side on pieces of 1 MiB
//! (`scan` → `digest` → `pack` → put), joined by short queues, in as many lanes as there are processors, each with
//! every so manieth object; `_sha256file` and then `_metadata` are written when
//! everything else is stored; whatever fails takes back what was put. An incremental backup first finds the runs of
//! blocks that have changed since its parent (`changes`); then they go the same way. Bound: about 40 MiB of pieces for
//! each of at most `MOST_LANES` lanes, and the digests, 1 MiB per GiB of volume, whatever the size of the objects.

mod changes;
mod layout;
mod pack;
mod put;
mod scan;
mod upload;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use cofferdam_sandbox::contract::Placement;
use futures::future::try_join_all;
use jiff::Timestamp;

use self::layout::{Layout, Span};
use self::pack::Packer;
use self::put::Putter;
use self::upload::{UploadWriter, Uploads};
use crate::codec::Algorithm;
use crate::error::TransferError;
use crate::format::{
    Header, Metadata, ObjectEntry, ObjectKind, Sha256Digest, Sha256file, created_at_text, encode_metadata,
    encode_sha256file,
};
use crate::manifest::{self, Seals};
use crate::progress::{Cancel, Phase, Progress};
use crate::store::{Location, ObjectStore, unless_cancelled};
use crate::thread::{self, Stop, cause, lanes};
use crate::volume::Source;

/// What a backup is to be.
#[derive(Debug, Clone)]
pub struct BackupPlan {
    /// UUID of the backup.
    pub backup_id: String,
    /// UUID of the volume.
    pub volume_id: String,
    /// Name for people.
    pub name: Option<String>,
    /// Description for people.
    pub description: Option<String>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// The volume's own metadata, a JSON document as text.
    pub volume_meta: Option<String>,
    /// Where it goes and in what portions.
    pub placement: Placement,
    /// How objects are compressed.
    pub algorithm: Algorithm,
    /// What an incremental backup builds on; a full backup has none.
    pub parent: Option<Parent>,
    /// Folder for unlinked temporary files, used only when the driver must know objects before they are put.
    pub spool: PathBuf,
}

/// What an incremental backup builds on.
#[derive(Debug, Clone)]
pub struct Parent {
    /// UUID of that backup.
    pub backup_id: String,
    /// Its objects, in the same store.
    pub location: Location,
    /// Bytes of its volume.
    pub bytes: u64,
    /// Digests of its control objects, as far as they are known.
    pub seals: Option<Seals>,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupOutcome {
    /// Data objects.
    pub object_count: u64,
    /// Bytes of volume.
    pub bytes: u64,
    /// Bytes of data objects as stored.
    pub stored_bytes: u64,
    /// Bytes of volume that were holes or zeros.
    pub zero_bytes: u64,
    /// Digests of the two control objects. Kept with the record, they make any change of these objects visible.
    pub seals: Seals,
}

/// Makes a backup of the volume: full, or of what has changed since the plan's parent.
///
/// # Errors
/// Everything that [`TransferError`] has for volumes and stores; `incremental-impossible` when the parent does not fit (its
/// volume had another size, its hash blocks another one). Nothing that looks like a backup is left then.
pub async fn backup(
    store: Arc<dyn ObjectStore>,
    source: Source,
    plan: BackupPlan,
    progress: Arc<Progress>,
    cancel: Cancel,
) -> Result<BackupOutcome, TransferError> {
    let Placement {
        container, prefix, ..
    } = plan.placement.clone();
    let location = Location { container, prefix };
    location.check()?;
    if source.size() == 0 {
        return Err(TransferError::EmptyVolume {
            path: source.path().to_owned(),
        });
    }
    let layout = Layout::new(source.size(), &plan.placement, store.greatest_object())?;
    progress.set_total(layout.size);
    progress.enter(Phase::Preparing);
    let putter = Putter::new(store, location, cancel, progress.clone());
    let result = run(&putter, Arc::new(source), plan, layout).await;
    if result.is_err() {
        putter.clean_up().await;
    }
    progress.enter(Phase::Ended);
    result
}

async fn run(
    putter: &Putter,
    source: Arc<Source>,
    plan: BackupPlan,
    layout: Layout,
) -> Result<BackupOutcome, TransferError> {
    // Whether the parent fits is known before anything is made, as in Cinder.
    let parent = match &plan.parent {
        Some(parent) => Some(fitting(&*putter.store, parent, &layout, &putter.cancel).await?),
        None => None,
    };
    let container = putter.location.container.clone();
    unless_cancelled(&putter.cancel, putter.store.create_container(&container))
        .await?
        .map_err(|failure| TransferError::Store {
            action: format!("creating container {container}"),
            failure,
        })?;
    putter.progress.enter(Phase::Data);
    let (known, spans): (_, Arc<[Span]>) = match parent {
        Some(parent) => {
            let (digests, spans) = find_changes(putter, source.clone(), layout, parent).await?;
            (Some(digests), spans.into())
        }
        None => (None, layout.spans().collect()),
    };
    let (scanned, objects) = put_data(putter, source, &plan, layout, spans.clone()).await?;
    let digests = match known {
        Some(known) => renewed(known, &layout, &spans, scanned),
        None => scanned,
    };

    putter.progress.enter(Phase::Finishing);
    let done = putter.progress.snapshot();
    let object_count = objects.len() as u64;
    let header = Header {
        backup_id: plan.backup_id,
        volume_id: plan.volume_id,
        backup_name: plan.name,
        backup_description: plan.description,
        created_at: created_at_text(plan.created_at),
    };
    let file = Sha256file {
        header: header.clone(),
        block_size: layout.block_size,
        digests,
    };
    let sha256file = put_control(putter, plan.spool.clone(), ObjectKind::Sha256file, move |out| {
        encode_sha256file(out, &file)
    })
    .await?;
    let metadata = Metadata {
        header,
        objects,
        parent_id: plan.parent.map(|parent| parent.backup_id),
        volume_meta: plan.volume_meta,
    };
    let prefix = putter.location.prefix.clone();
    let metadata = put_control(putter, plan.spool, ObjectKind::Metadata, move |out| {
        encode_metadata(out, &prefix, &metadata)
    })
    .await?;
    Ok(BackupOutcome {
        object_count,
        bytes: layout.size,
        stored_bytes: done.stored,
        zero_bytes: done.skipped,
        seals: Seals { metadata, sha256file },
    })
}

/// The digests of a parent that fits.
async fn fitting(
    store: &dyn ObjectStore,
    parent: &Parent,
    layout: &Layout,
    cancel: &Cancel,
) -> Result<Vec<Sha256Digest>, TransferError> {
    let refused = |reason: String| {
        Err(TransferError::IncrementalImpossible {
            parent: parent.backup_id.clone(),
            reason,
        })
    };
    if parent.bytes != layout.size {
        let (had, has) = (parent.bytes, layout.size);
        return refused(format!("its volume had {had} bytes, this one has {has}"));
    }
    let file = manifest::digests_of(store, parent, cancel).await?;
    if file.block_size != layout.block_size {
        let (had, has) = (file.block_size, layout.block_size);
        return refused(format!("its hash blocks have {had} bytes, now they have {has}"));
    }
    Ok(file.digests)
}

async fn find_changes(
    putter: &Putter,
    source: Arc<Source>,
    layout: Layout,
    parent: Vec<Sha256Digest>,
) -> Result<(Vec<Sha256Digest>, Vec<Span>), TransferError> {
    let (cancel, progress) = (putter.cancel.clone(), putter.progress.clone());
    let changes = thread::spawn("changes", move || {
        changes::changes(&source, &layout, &parent, &cancel, &progress)
    })?;
    // Whoever asked to stop does not wait for a volume that hangs.
    unless_cancelled(&putter.cancel, changes.join()).await??
}

/// The digests of the whole volume, with those of the blocks that were stored as they were stored.
fn renewed(
    mut digests: Vec<Sha256Digest>,
    layout: &Layout,
    spans: &[Span],
    stored: Vec<Sha256Digest>,
) -> Vec<Sha256Digest> {
    let block = u64::from(layout.block_size);
    let blocks = spans.iter().flat_map(|span| {
        let first = span.offset / block;
        first..first + span.length.div_ceil(block)
    });
    for (index, digest) in blocks.zip(stored) {
        if let Some(known) = usize::try_from(index)
            .ok()
            .and_then(|index| digests.get_mut(index))
        {
            *known = digest;
        }
    }
    digests
}

/// Everything but the control objects: the digests of the spans' blocks, in order, and the entries of the objects.
///
/// The objects go in lanes, one after the other in each, so that several are read, digested, compressed and stored side
/// by side. The first lane that fails ends the others.
async fn put_data(
    putter: &Putter,
    source: Arc<Source>,
    plan: &BackupPlan,
    layout: Layout,
    spans: Arc<[Span]>,
) -> Result<(Vec<Sha256Digest>, Vec<ObjectEntry>), TransferError> {
    let lanes = lanes();
    let objects = || (1_u64..).zip(spans.iter().copied());
    let running = (0..lanes.min(spans.len())).map(|lane| {
        let own: Arc<[(u64, Span)]> = objects().skip(lane).step_by(lanes).collect();
        put_lane(putter, source.clone(), plan, layout, own)
    });
    let done = try_join_all(running).await?;
    let mut entries = Vec::with_capacity(spans.len());
    let mut digests = BTreeMap::new();
    for (own, mut scanned, made) in done {
        // Of each object its digests, the last lane's rest being the shortest.
        for (number, span) in own.iter().rev() {
            let blocks = span.length.div_ceil(u64::from(layout.block_size));
            let from = scanned
                .len()
                .saturating_sub(usize::try_from(blocks).unwrap_or(usize::MAX));
            digests.insert(*number, scanned.split_off(from));
        }
        entries.extend(made);
    }
    entries.sort_unstable_by_key(|(number, _)| *number);
    let entries = entries.into_iter().map(|(_, entry)| entry).collect();
    Ok((digests.into_values().flatten().collect(), entries))
}

/// What one lane made: its objects, the digests of their blocks, their entries.
type Lane = (Arc<[(u64, Span)]>, Vec<Sha256Digest>, Vec<(u64, ObjectEntry)>);

async fn put_lane(
    putter: &Putter,
    source: Arc<Source>,
    plan: &BackupPlan,
    layout: Layout,
    objects: Arc<[(u64, Span)]>,
) -> Result<Lane, TransferError> {
    let (uploads, mut jobs) = Uploads::new(putter.store.needs(), plan.spool.clone());
    let (to_digest, from_scan) = sync_channel(scan::QUEUE);
    let (to_pack, input) = sync_channel(scan::QUEUE);
    let packer = Packer {
        source: source.clone(),
        layout,
        objects: objects.clone(),
        algorithm: plan.algorithm,
        input,
        uploads,
        cancel: putter.cancel.clone(),
        progress: putter.progress.clone(),
    };
    let (cancel, progress, own) = (putter.cancel.clone(), putter.progress.clone(), objects.clone());
    let scan = thread::spawn("scan", move || {
        scan::scan(&source, &layout, &own, &cancel, &progress, &to_digest)
    })?;
    let digest = thread::spawn("digest", move || scan::digest(&from_scan, &to_pack))?;
    let pack = thread::spawn("pack", move || packer.run())?;
    let put = putter.put_all(&mut jobs).await;
    // Stages that still wait for this one end now.
    drop(jobs);
    if let Err(Stop::Error(TransferError::Cancelled)) = put {
        // Whoever asked to stop does not wait for a volume that hangs; the threads end by themselves.
        return Err(TransferError::Cancelled);
    }
    match (scan.join().await?, digest.join().await?, pack.join().await?, put) {
        (Ok(digests), Ok(()), Ok(entries), Ok(())) => Ok((objects, digests, entries)),
        (scan, digest, pack, put) => {
            let stops = [scan.err(), digest.err(), pack.err(), put.err()];
            Err(cause(stops).unwrap_or_else(|| TransferError::internal("the transfer stopped")))
        }
    }
}

/// One control object; gives its SHA-256.
async fn put_control(
    putter: &Putter,
    spool: PathBuf,
    kind: ObjectKind,
    encode: impl FnOnce(&mut UploadWriter) -> io::Result<()> + Send + 'static,
) -> Result<String, TransferError> {
    let (uploads, mut jobs) = Uploads::new(putter.store.needs(), spool);
    let encoder = thread::spawn("control", move || {
        let mut out = UploadWriter::new(uploads.open(kind, None)?);
        drop(uploads);
        let written = encode(&mut out);
        out.finish(written)
    })?;
    let put = putter.put_all(&mut jobs).await;
    drop(jobs);
    match (encoder.join().await?, put) {
        (Ok(seal), Ok(())) => Ok(seal),
        (encoded, put) => {
            let stops: [Option<Stop>; 2] = [encoded.err(), put.err()];
            Err(cause(stops).unwrap_or_else(|| TransferError::internal("the transfer stopped")))
        }
    }
}
