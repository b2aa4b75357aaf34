//! How fast a driver is, beside a native program that does the same in the same run, and what it uses up.
//!
//! Objects of 64 MiB and of 4 KiB are put and got by turns with the native steps, the best of several runs each, because noise
//! only ever adds. The native steps are those of a driver that keeps files: a hidden name, write, sync, rename, sync of the folder;
//! and of a get, reading into pieces of their own that another thread takes, which is what a get is for. A driver without a directory
//! has no native side here, and its figures stand alone. Bound: 64 MiB of disk twice; some seconds.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cofferdam_sandbox::contract::{BodyInfo, ObjectAddress};
use cofferdam_sandbox::{Failure, Instance, Phase, Usage, stream};
use serde::Serialize;

use crate::content::info;
use crate::subject::Subject;

const GREAT: u64 = 64 << 20;
const SMALL: usize = 4096;
const PIECE: usize = 1 << 20;
const RUNS: usize = 7;
const ROUNDS: usize = 100;
const STARTS: usize = 30;

/// One figure.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// What was measured.
    pub what: &'static str,
    /// The value, in `unit`.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// The native program's value, if there is one.
    pub native: Option<f64>,
    /// How the driver compares with it: 1 is as good.
    pub ratio: Option<f64>,
}

impl Figure {
    fn alone(what: &'static str, value: f64, unit: &'static str) -> Self {
        Figure {
            what,
            value,
            unit,
            native: None,
            ratio: None,
        }
    }

    fn rate(what: &'static str, took: Duration, native: Option<Duration>) -> Self {
        let rate = |took: Duration| GREAT as f64 / f64::from(1 << 20) / took.as_secs_f64();
        Figure {
            native: native.map(rate),
            ratio: native.map(|native| native.as_secs_f64() / took.as_secs_f64()),
            ..Figure::alone(what, rate(took), "MiB/s")
        }
    }

    fn span(what: &'static str, took: Duration, native: Option<Duration>) -> Self {
        let milliseconds = |took: Duration| took.as_secs_f64() * 1000.0;
        Figure {
            native: native.map(milliseconds),
            ratio: native.map(|native| native.as_secs_f64() / took.as_secs_f64()),
            ..Figure::alone(what, milliseconds(took), "ms")
        }
    }
}

/// Measures a driver in a container that is made unless it is there.
///
/// # Errors
/// Any [`Failure`] of the driver; of the native side when the directory cannot be written.
pub async fn bench(subject: &Subject, container: &str) -> Result<Vec<Figure>, Failure> {
    let limits = Arc::new(subject.limits().clone());
    let mut starts = Vec::with_capacity(STARTS);
    let mut instance = subject.open(&limits).await?;
    for _ in 0..STARTS {
        let begin = Instant::now();
        instance = subject.open(&limits).await?;
        starts.push(begin.elapsed());
    }
    starts.sort_unstable();
    instance.create_container(container).await?;
    let mut figures = vec![Figure::span(
        "start: instantiate and set up, median",
        starts.get(STARTS / 2).copied().unwrap_or_default(),
        None,
    )];
    let at = |name: &str| ObjectAddress {
        container: container.to_owned(),
        name: name.to_owned(),
    };
    let native = subject
        .traces()
        .and_then(|_| subject.provision().directories.iter().find(|grant| grant.write))
        .map(|grant| Native::below(&grant.path))
        .transpose()
        .map_err(native_failed)?;

    let body = Body::new(subject);
    let (mut put, mut get) = (Best::default(), Best::default());
    let mut used = Usage::default();
    for _ in 0..RUNS {
        if let Some(native) = &native {
            put.native(native.put(GREAT).map_err(native_failed)?);
            get.native(native.get().map_err(native_failed)?);
        }
        put.took(body.put(&instance, at("cofferdam-bench")).await?);
        used = instance.last_used();
        get.took(fetch(&instance, at("cofferdam-bench")).await?);
    }
    instance.delete_object(at("cofferdam-bench")).await?;
    figures.push(Figure::rate("put of 64 MiB", put.took, put.native));
    figures.push(Figure::rate("get of 64 MiB", get.took, get.native));
    figures.push(Figure::alone(
        "fuel of a put, per MiB",
        used.fuel as f64 / (GREAT >> 20) as f64,
        "units",
    ));

    let small = vec![0x5a_u8; SMALL];
    let (mut put, mut get) = (Best::default(), Best::default());
    for number in 0..ROUNDS {
        let name = format!("cofferdam-bench-{number:03}");
        if let Some(native) = &native {
            put.native(native.put(SMALL as u64).map_err(native_failed)?);
            get.native(native.get().map_err(native_failed)?);
        }
        put.took(put_bytes(subject, &instance, at(&name), &small).await?);
        get.took(fetch(&instance, at(&name)).await?);
    }
    figures.push(Figure::span("put of 4 KiB, the best", put.took, put.native));
    figures.push(Figure::span("get of 4 KiB, the best", get.took, get.native));
    let mut list = Best::default();
    for _ in 0..RUNS {
        let begin = Instant::now();
        instance
            .list_objects(container, "cofferdam-bench-", None, 1000)
            .await?;
        list.took(begin.elapsed());
    }
    figures.push(Figure::span("a page of 100 names", list.took, None));
    for number in 0..ROUNDS {
        instance
            .delete_object(at(&format!("cofferdam-bench-{number:03}")))
            .await?;
    }
    let budget = subject.budget();
    instance.probe(&budget).await?;
    let memory = budget.used().peak_memory as f64 / f64::from(1 << 20);
    figures.push(Figure::alone(
        "memory of the instance after all of it",
        memory,
        "MiB",
    ));
    Ok(figures)
}

/// Puts, gets and deletes small objects in one instance, as many as the last of `counts` says; the bytes of memory that it had after each of
/// them.
///
/// # Errors
/// Any [`Failure`] of the driver: one that outgrows its memory ends here.
pub async fn endure(subject: &Subject, container: &str, counts: &[u32]) -> Result<Vec<u64>, Failure> {
    let instance = subject.open(&Arc::new(subject.limits().clone())).await?;
    instance.create_container(container).await?;
    let (small, mut had) = (vec![0x5a_u8; SMALL], Vec::with_capacity(counts.len()));
    for number in 1..=counts.iter().copied().max().unwrap_or_default() {
        let at = ObjectAddress {
            container: container.to_owned(),
            name: format!("cofferdam-endures-{number:06}"),
        };
        put_bytes(subject, &instance, at.clone(), &small).await?;
        fetch(&instance, at.clone()).await?;
        instance.delete_object(at).await?;
        if counts.contains(&number) {
            let budget = subject.budget();
            instance.probe(&budget).await?;
            had.push(budget.used().peak_memory);
        }
    }
    Ok(had)
}

/// The best of several runs, of both sides.
struct Best {
    took: Duration,
    native: Option<Duration>,
}

impl Default for Best {
    fn default() -> Self {
        Best {
            took: Duration::MAX,
            native: None,
        }
    }
}

impl Best {
    fn took(&mut self, took: Duration) {
        self.took = self.took.min(took);
    }

    fn native(&mut self, took: Duration) {
        self.native = Some(self.native.map_or(took, |best| best.min(took)));
    }
}

/// A great body, whose digests are made beforehand: the host has them from its own pipeline.
struct Body {
    piece: Bytes,
    info: BodyInfo,
}

impl Body {
    fn new(subject: &Subject) -> Self {
        let piece = Bytes::from(vec![0xa5_u8; PIECE]);
        let pieces = std::iter::repeat_n(piece.clone(), (GREAT / PIECE as u64) as usize);
        Body {
            info: info(subject.info().needs, pieces),
            piece,
        }
    }

    async fn put(&self, instance: &Instance, at: ObjectAddress) -> Result<Duration, Failure> {
        let (writer, reader) = stream::channel(stream::DEFAULT_PIECES);
        let piece = self.piece.clone();
        let begin = Instant::now();
        let feed = std::thread::spawn(move || {
            for _ in 0..GREAT / PIECE as u64 {
                if writer.blocking_write(piece.clone()).is_err() {
                    return;
                }
            }
            let _ = writer.blocking_finish();
        });
        let put = instance.put_object(at, reader, self.info.clone()).await;
        let took = begin.elapsed();
        let _ = feed.join();
        put.map(|()| took)
    }
}

async fn put_bytes(
    subject: &Subject,
    instance: &Instance,
    at: ObjectAddress,
    bytes: &[u8],
) -> Result<Duration, Failure> {
    let bytes = Bytes::copy_from_slice(bytes);
    let info = info(subject.info().needs, [bytes.clone()]);
    let (writer, reader) = stream::channel(stream::DEFAULT_PIECES);
    let begin = Instant::now();
    let feed = async move {
        if writer.write(bytes).await.is_ok() {
            let _ = writer.finish().await;
        }
    };
    let (put, ()) = tokio::join!(instance.put_object(at, reader, info), feed);
    put.map(|()| begin.elapsed())
}

async fn fetch(instance: &Instance, at: ObjectAddress) -> Result<Duration, Failure> {
    let (writer, mut reader) = stream::channel(stream::DEFAULT_PIECES);
    let begin = Instant::now();
    let drain = std::thread::spawn(move || while matches!(reader.blocking_next(), Ok(Some(_))) {});
    let got = instance.get_object(at, None, writer).await;
    let _ = drain.join();
    got.map(|_| begin.elapsed())
}

/// The same steps without a sandbox. Its folder goes with it.
struct Native(PathBuf);

impl Native {
    fn below(path: &Path) -> std::io::Result<Self> {
        let folder = path.join(".cofferdam-bench");
        std::fs::create_dir_all(&folder)?;
        Ok(Native(folder))
    }

    fn put(&self, size: u64) -> std::io::Result<Duration> {
        let piece = vec![0xa5_u8; PIECE.min(size as usize)];
        let begin = Instant::now();
        let mut file = File::create(self.0.join("part"))?;
        for _ in 0..size / piece.len() as u64 {
            file.write_all(&piece)?;
        }
        file.sync_all()?;
        std::fs::rename(self.0.join("part"), self.0.join("object"))?;
        File::open(&self.0)?.sync_all()?;
        Ok(begin.elapsed())
    }

    fn get(&self) -> std::io::Result<Duration> {
        let (pieces, taken) = std::sync::mpsc::sync_channel::<Vec<u8>>(stream::DEFAULT_PIECES);
        let begin = Instant::now();
        let taker = std::thread::spawn(move || while taken.recv().is_ok() {});
        let mut file = File::open(self.0.join("object"))?;
        loop {
            let mut piece = vec![0; PIECE];
            let read = file.read(&mut piece)?;
            piece.truncate(read);
            if read == 0 || pieces.send(piece).is_err() {
                break;
            }
        }
        drop(pieces);
        let _ = taker.join();
        Ok(begin.elapsed())
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn native_failed(error: std::io::Error) -> Failure {
    Failure::Host {
        phase: Phase::PutObject,
        reason: format!("the native side of the measurement cannot write: {error}"),
        remedy: "measure in a directory that can be written".into(),
    }
}
