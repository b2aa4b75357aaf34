//! The way back: every data object that a volume needs, fetched, decoded, checked and handed on.
//!
//! Problem: fetching, decoding, MD5, and SHA-256 with writing take long each, and nothing that comes back may be
//! believed. So: the store's call, a thread that decodes, one for MD5 and one that checks blocks and writes work
//! side by side, in as many lanes as there are processors and memory for, each with every so manieth object; each object must decode to
//! exactly its length and MD5, each block to its SHA-256. Bound: about 20 pieces for each of at most `MOST_LANES`
//! lanes, whatever the objects' size. A fault of one object is kept under its number; reading goes on behind it unless
//! told not to.

mod check;
mod decode;
mod digest;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cofferdam_sandbox::stream::{self, DEFAULT_PIECES, Reader};
use futures::future::join_all;
use tokio::sync::mpsc;

pub(crate) use self::check::Sink;
use crate::chain::{self, Wanted};
use crate::control::{Control, Lanes};
use crate::error::TransferError;
use crate::format::data_name;
use crate::manifest::Manifest;
use crate::store::{ObjectStore, get_failed, unless_cancelled};
use crate::thread::{self, Stop, cause};

/// Decoded pieces that wait to be written.
const QUEUE: usize = 2;

/// Bytes that a lane takes, as measured.
const LANE_MEMORY: u64 = 16 << 20;

/// An object on its way from the store to the decoder, by its place in the plan.
struct Fetch {
    index: usize,
    body: Reader,
}

/// What is wrong with which object, by its place in the plan; the first fault of each counts.
#[derive(Default)]
struct Faults {
    found: Mutex<BTreeMap<usize, TransferError>>,
    broken: Mutex<BTreeMap<usize, String>>,
    /// A lane cannot go on, so the others need not.
    give_up: AtomicBool,
}

fn open<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Faults {
    fn add(&self, index: usize, error: TransferError) {
        open(&self.found).entry(index).or_insert(error);
    }

    fn has(&self, index: usize) -> bool {
        open(&self.found).contains_key(&index)
    }

    /// The stream of an object broke: whoever fetched it knows why, unless the driver lied.
    fn broke(&self, index: usize, reason: String) {
        open(&self.broken).insert(index, reason);
    }
}

/// What is read.
struct Plan {
    manifest: Arc<Manifest>,
    wanted: Vec<Wanted>,
}

impl Plan {
    /// Which objects are read side by side: all in one lane unless each is made of whole hash blocks.
    async fn lanes<'a>(&self, control: &'a Control) -> Result<(Vec<Vec<usize>>, Lanes<'a>), TransferError> {
        let block = self
            .manifest
            .sha256file
            .as_ref()
            .map_or(1, |file| u64::from(file.block_size.max(1)));
        let bytes = self.manifest.bytes;
        let whole = |at: u64| at.is_multiple_of(block) || at == bytes;
        let mut parts = self.wanted.iter().flat_map(|wanted| &wanted.parts);
        let most = match parts.all(|part| whole(part.start) && whole(part.end)) {
            true => self.wanted.len(),
            false => 1,
        };
        let lanes = control
            .resources
            .lanes(LANE_MEMORY, most, &control.cancel)
            .await?;
        let lane = |first: usize| (first..self.wanted.len()).step_by(lanes.count).collect();
        Ok(((0..lanes.count).map(lane).collect(), lanes))
    }

    /// The object's name, for people.
    fn name(&self, index: usize) -> String {
        let wanted = self.wanted.get(index);
        let generation = wanted.and_then(|wanted| self.manifest.generations.get(wanted.generation));
        match (wanted, generation) {
            (Some(wanted), Some(generation)) => data_name(&generation.location.prefix, wanted.number),
            _ => "(unknown)".into(),
        }
    }
}

/// How a lane ended.
struct LaneEnd {
    /// Why its threads stopped early, if they did.
    stops: Vec<Stop>,
    fetched: Result<(), TransferError>,
    /// Blocks that were compared with their digests, when its last thread ended well.
    compared: Option<u64>,
}

/// How to read.
pub(crate) struct Reading<'a> {
    pub(crate) store: &'a dyn ObjectStore,
    pub(crate) control: &'a Control,
    /// Whether the first fault ends it.
    pub(crate) stop_at_fault: bool,
}

/// What came of it.
pub(crate) struct Read<S> {
    /// What was wrong with objects, in their order.
    pub(crate) faults: Vec<TransferError>,
    /// Why not everything was read.
    pub(crate) failure: Option<TransferError>,
    /// The sink, when its thread ended well, and how many blocks were compared with their digests.
    pub(crate) sink: Option<(S, u64)>,
}

impl Reading<'_> {
    /// Reads all data objects that the manifest's volume needs into the sink.
    pub(crate) async fn run<S: Sink>(
        &self,
        manifest: Arc<Manifest>,
        sink: S,
    ) -> Result<Read<S>, TransferError> {
        let faults = Arc::new(Faults::default());
        let plan = Arc::new(Plan {
            wanted: chain::plan(&manifest),
            manifest,
        });
        let sink = Arc::new(Mutex::new(sink));
        let (lanes, _memory) = plan.lanes(self.control).await?;
        let running = lanes
            .iter()
            .map(|objects| self.lane(&plan, &faults, objects, sink.clone()));
        let ends = join_all(running)
            .await
            .into_iter()
            .collect::<Result<Vec<_>, _>>()?;
        let (mut own, mut gone, mut fetched, mut compared) = (Vec::new(), Vec::new(), None, Some(0));
        for end in ends {
            let (errors, others): (Vec<_>, Vec<_>) = end
                .stops
                .into_iter()
                .partition(|stop| matches!(stop, Stop::Error(_)));
            own.extend(errors);
            gone.extend(others);
            fetched = fetched.or(end.fetched.err());
            compared = compared.zip(end.compared).map(|(all, own)| all + own);
        }
        // The threads that shared it have ended.
        let sink = Arc::try_unwrap(sink).ok().and_then(|sink| sink.into_inner().ok());
        let sink = sink.zip(compared);
        let found: Vec<_> = std::mem::take(&mut *open(&faults.found)).into_values().collect();
        let mut failure = cause(own.into_iter().map(Some)).or(fetched);
        if failure.is_none() && found.is_empty() {
            let lied = std::mem::take(&mut *open(&faults.broken))
                .pop_first()
                .map(|(index, reason)| {
                    let object = plan.name(index);
                    TransferError::DriverContract {
                        reason: format!("it gave object {object}, but {reason}"),
                    }
                });
            failure = lied.or_else(|| cause(gone.into_iter().map(Some)));
        }
        Ok(Read {
            faults: found,
            failure,
            sink,
        })
    }

    /// Reads some of the objects, one after the other.
    async fn lane<S: Sink>(
        &self,
        plan: &Arc<Plan>,
        faults: &Arc<Faults>,
        objects: &[usize],
        sink: Arc<Mutex<S>>,
    ) -> Result<LaneEnd, TransferError> {
        let (fetches, to_decode) = mpsc::channel(1);
        let (decoded, to_digest) = sync_channel(QUEUE);
        let (parts, to_check) = sync_channel(QUEUE);
        let decoding = decode::Decoding {
            plan: plan.clone(),
            faults: faults.clone(),
            stop_at_fault: self.stop_at_fault,
        };
        let decode = thread::spawn("decode", move || decoding.run(to_decode, &decoded))?;
        let digesting = digest::Digesting {
            plan: plan.clone(),
            faults: faults.clone(),
            together: self.control.resources.md5().clone(),
            stop_at_fault: self.stop_at_fault,
        };
        let digest = thread::spawn("md5", move || digesting.run(&to_digest, &parts))?;
        let checking = check::Checking {
            plan: plan.clone(),
            faults: faults.clone(),
            progress: self.control.progress.clone(),
            stop_at_fault: self.stop_at_fault,
        };
        let check = thread::spawn("check", move || checking.run(&to_check, &sink))?;

        let fetched = self.fetch_all(plan, faults, objects, fetches).await;
        if fetched.is_err() {
            faults.give_up.store(true, Ordering::Relaxed);
        }
        let (decoded, digested) = (decode.join().await?, digest.join().await?);
        let (compared, checked) = match check.join().await? {
            Ok(compared) => (Some(compared), None),
            Err(stop) => (None, Some(stop)),
        };
        let stops = [decoded.err(), digested.err(), checked];
        Ok(LaneEnd {
            stops: stops.into_iter().flatten().collect(),
            fetched,
            compared,
        })
    }

    /// Whether nothing more needs to be read, because of what happened in this lane or another.
    fn is_over(&self, faults: &Faults) -> bool {
        faults.give_up.load(Ordering::Relaxed) || (self.stop_at_fault && !open(&faults.found).is_empty())
    }

    /// Fetches one object after the other; `fetches` is closed at the end.
    async fn fetch_all(
        &self,
        plan: &Plan,
        faults: &Faults,
        objects: &[usize],
        fetches: mpsc::Sender<Fetch>,
    ) -> Result<(), TransferError> {
        let objects = objects
            .iter()
            .filter_map(|index| Some((*index, plan.wanted.get(*index)?)));
        for (index, wanted) in objects {
            if self.is_over(faults) {
                return Ok(());
            }
            let Some(generation) = plan.manifest.generations.get(wanted.generation) else {
                continue;
            };
            if generation.missing.contains(&wanted.number) {
                continue;
            }
            let name = data_name(&generation.location.prefix, wanted.number);
            let (writer, body) = stream::channel(DEFAULT_PIECES);
            if unless_cancelled(&self.control.cancel, fetches.send(Fetch { index, body }))
                .await?
                .is_err()
            {
                // The decoder stopped and says why.
                return Ok(());
            }
            let get = self
                .store
                .get_object(generation.location.address(&name), None, writer);
            match unless_cancelled(&self.control.cancel, get).await? {
                Ok(bytes) => self.control.progress.add_stored(bytes),
                // The decoder had enough of it, and then the driver could not write on.
                Err(_) if faults.has(index) => {}
                Err(failure) => match get_failed(&name, failure) {
                    error if error.is_corruption() => {
                        faults.add(index, error);
                        if self.stop_at_fault {
                            return Ok(());
                        }
                    }
                    error => return Err(error),
                },
            }
        }
        Ok(())
    }
}
