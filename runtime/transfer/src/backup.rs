//! A backup, full or incremental: volume → objects, with the commit mark last.
//!
//! Problem: hashing, compressing and storing take long each, objects are greater than memory, and a backup that is
//! interrupted anywhere must not look whole. So: three threads and the store work side by side on pieces of 1 MiB
//! (`scan` → `digest` → `pack` → put), joined by short queues, in as many lanes as there are processors (four if there are
//! few) and memory for, each with every so manieth object; `_sha256file` and then `_metadata` are written when
//! everything else is stored; whatever fails takes back what was put. An incremental backup first finds the runs of
//! blocks that have changed since its parent (`changes`); then they go the same way. With a `journal` a backup that was
//! killed, or told to stop, goes on where it was when it is begun again. Bound: about 15 MiB of pieces for
//! each of at most `MOST_LANES` lanes, and the digests, about 1 MiB per GiB of data, whatever the size of the objects.

mod changes;
mod documents;
mod journal;
mod lanes;
mod layout;
mod ledger;
mod pack;
mod put;
mod scan;
mod upload;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use cofferdam_sandbox::contract::Placement;
use jiff::Timestamp;

use self::documents::put_document;
pub(crate) use self::journal::fuzz;
use self::journal::{Done, Journal, Opening};
use self::lanes::put_data;
use self::layout::{Layout, Span};
use self::ledger::Ledger;
use self::put::Putter;
use crate::codec::Algorithm;
use crate::control::Control;
use crate::delete::delete;
use crate::error::TransferError;
use crate::format::{
    Digests, Header, Metadata, ObjectKind, Sha256file, created_at_text, data_name, encode_metadata,
    encode_sha256file, metadata_name, sha256file_name,
};
use crate::manifest::{self, Seals};
use crate::progress::{Cancel, Phase};
use crate::store::{Location, MAX_LISTED, ObjectStore, list_all, unless_cancelled};
use crate::thread;
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
    /// Whether a volume that changes meanwhile is backed up nevertheless (Cinder's `force`); else that is an error.
    pub force: bool,
    /// File that keeps what was done, so that the backup can be begun again and goes on; `None`: it cannot. It stays
    /// when the backup is cancelled, and then so do its objects. Who asked for the backup removes it.
    pub journal: Option<PathBuf>,
    /// Whether an earlier attempt at this very backup may have left objects behind.
    pub again: bool,
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
    /// Data objects that an earlier life had stored already.
    pub resumed: u64,
    /// Whether the volume was seen to change meanwhile, which was forced to be no error.
    pub changed: bool,
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
    control: Control,
) -> Result<BackupOutcome, TransferError> {
    let progress = control.progress.clone();
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
    let source = Arc::new(source);
    let result = begin(&*store, &location, &source, &plan, &layout).await;
    let (journal, done) = match result {
        Ok(begun) => begun,
        Err(error) => {
            progress.enter(Phase::Ended);
            return Err(error);
        }
    };
    let (keeps, begun) = (journal.is_some(), done.iter().map(|done| done.number).max());
    let resumed = done.len() as u64;
    for Done { made, stored, .. } in &done {
        progress.add_done(made.entry.length);
        progress.add_skipped(made.zeros);
        progress.add_stored(*stored);
    }
    let ledger = Arc::new(Ledger::new(journal, done));
    let putter = Putter::new(store, location, control, ledger, begun.unwrap_or(0));
    let result = run(&putter, source, plan, layout).await;
    match &result {
        // It goes on when it is begun again.
        Err(TransferError::Cancelled) if keeps => {}
        Err(_) => putter.clean_up().await,
        Ok(_) => {}
    }
    progress.enter(Phase::Ended);
    result.map(|outcome| BackupOutcome { resumed, ..outcome })
}

/// The journal, if there is to be one, and what an earlier life did that is on the storage still. Nothing else of that life
/// is left there afterwards but what will be written again.
async fn begin(
    store: &dyn ObjectStore,
    location: &Location,
    source: &Arc<Source>,
    plan: &BackupPlan,
    layout: &Layout,
) -> Result<(Option<Journal>, Vec<Done>), TransferError> {
    let (journal, mut done) = match (&plan.journal, source.identity()) {
        (Some(path), Some(identity)) => {
            // A write that comes behind this moment must show.
            tokio::time::sleep(identity.settles_in(SystemTime::now())).await;
            let opening = Opening {
                version: Opening::VERSION,
                backup: plan.backup_id.clone(),
                parent: plan.parent.as_ref().map(|parent| parent.backup_id.clone()),
                container: location.container.clone(),
                prefix: location.prefix.clone(),
                object_size: layout.object_size,
                block_size: layout.block_size,
                algorithm: plan.algorithm.text().to_owned(),
                source: identity.clone(),
            };
            let path = path.clone();
            let opened = thread::spawn("journal", move || Journal::open(&path, &opening))?;
            match opened.join().await? {
                Ok((journal, done)) => (Some(journal), done),
                Err(error) => {
                    tracing::warn!(backup_id = %plan.backup_id, %error, "without a journal: should this backup be killed, it begins anew");
                    (None, Vec::new())
                }
            }
        }
        _ => (None, Vec::new()),
    };
    if !plan.again {
        return Ok((journal, Vec::new()));
    }
    if !done.is_empty() {
        let listed = list_all(store, location, MAX_LISTED).await?;
        let sizes: BTreeMap<&str, u64> = listed
            .iter()
            .map(|object| (object.name.as_str(), object.size))
            .collect();
        done.retain(|done| {
            let name = data_name(&location.prefix, done.number);
            sizes.get(name.as_str()) == Some(&done.stored)
        });
        // It is no backup before it is whole.
        for name in [metadata_name(&location.prefix), sha256file_name(&location.prefix)] {
            let deleted = store.delete_object(location.address(&name)).await;
            deleted.map_err(|failure| TransferError::Store {
                action: format!("deleting object {name}"),
                failure,
            })?;
        }
    } else {
        delete(store, location).await?;
    }
    Ok((journal, done))
}

async fn run(
    putter: &Putter,
    source: Arc<Source>,
    plan: BackupPlan,
    layout: Layout,
) -> Result<BackupOutcome, TransferError> {
    // Whether the parent fits is known before anything is made, as in Cinder.
    let parent = match &plan.parent {
        Some(parent) => Some(fitting(&*putter.store, parent, &layout, &putter.control.cancel).await?),
        None => None,
    };
    let container = putter.location.container.clone();
    unless_cancelled(&putter.control.cancel, putter.store.create_container(&container))
        .await?
        .map_err(|failure| TransferError::Store {
            action: format!("creating container {container}"),
            failure,
        })?;
    putter.control.progress.enter(Phase::Data);
    let (known, spans): (_, Arc<[Span]>) = match parent {
        Some(parent) => {
            let (digests, spans) = find_changes(putter, source.clone(), layout, parent).await?;
            (Some(digests), spans.into())
        }
        None => (None, layout.spans().collect()),
    };
    if !putter.ledger.fits(&spans) {
        return Err(TransferError::internal(
            "what an earlier attempt stored does not fit the volume, which did not change",
        ));
    }
    put_data(putter, source.clone(), &plan, layout, &spans).await?;
    // The last look, behind the last byte that was read.
    let changed = match source.check_unchanged() {
        Err(TransferError::VolumeChanged { .. }) if plan.force => true,
        other => other.map(|()| false)?,
    };
    let (objects, scanned) = putter.ledger.close(spans.len())?;
    let digests = match known {
        Some(known) => renewed(&known, &layout, &spans, &scanned),
        None => scanned,
    };

    putter.control.progress.enter(Phase::Finishing);
    let done = putter.control.progress.snapshot();
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
    let sha256file = put_document(putter, plan.spool.clone(), ObjectKind::Sha256file, move |out| {
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
    let metadata = put_document(putter, plan.spool, ObjectKind::Metadata, move |out| {
        encode_metadata(out, &prefix, &metadata)
    })
    .await?;
    Ok(BackupOutcome {
        object_count,
        bytes: layout.size,
        stored_bytes: done.stored,
        zero_bytes: done.skipped,
        resumed: 0,
        changed,
        seals: Seals { metadata, sha256file },
    })
}

/// The digests of a parent that fits.
async fn fitting(
    store: &dyn ObjectStore,
    parent: &Parent,
    layout: &Layout,
    cancel: &Cancel,
) -> Result<Digests, TransferError> {
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
    parent: Digests,
) -> Result<(Digests, Vec<Span>), TransferError> {
    let control = putter.control.clone();
    let changes = thread::spawn("changes", move || {
        changes::changes(&source, &layout, &parent, &control)
    })?;
    // Whoever asked to stop does not wait for a volume that hangs.
    unless_cancelled(&putter.control.cancel, changes.join()).await??
}

/// The digests of the whole volume, with those of the blocks that were stored as they were stored.
fn renewed(known: &Digests, layout: &Layout, spans: &[Span], stored: &Digests) -> Digests {
    let block = u64::from(layout.block_size);
    let (mut all, mut taken) = (Digests::new(), 0);
    for span in spans {
        let (first, count) = (span.offset / block, span.length.div_ceil(block));
        all.append_within(known, all.len()..first);
        all.append_within(stored, taken..taken + count);
        taken += count;
    }
    all.append_within(known, all.len()..known.len());
    all
}
