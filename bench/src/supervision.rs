//! The promise in figures: how late a backend that hangs is declared down, how soon one that is mended is up, how
//! many initialisations a second, what a probe costs, and what ten hostile guests take from a healthy neighbour.
//!
//! Beside each: what the machine itself can do in the same run. The neighbour's work is measured alone and beside
//! hostile guests in turns, so that whatever else the machine does falls on both.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use cofferdam_sandbox::contract::ObjectAddress;
use cofferdam_sandbox::requirements::Provision;
use cofferdam_sandbox::stream;
use cofferdam_sandbox::{Budget, Driver, Instance, Limits, Sandbox};
use cofferdam_tests::fleet::{Fleet, HANGING, INTERVAL};
use cofferdam_tests::guests::STREAMED;
use cofferdam_tests::service::Service;
use cofferdam_tests::{PLENTY, hostile};

use crate::Figure;
use crate::init::{budget, posix};

const DEADLINE: Duration = Duration::from_secs(2);

/// Hostile guests beside the neighbour.
const HOSTILE: usize = 10;

/// One turn of the neighbour's work, alone or beside them.
const TURN: Duration = Duration::from_millis(300);

/// Turns of each kind.
const TURNS: usize = 7;

pub(crate) fn measure(scratch: &Path, runtime: &tokio::runtime::Runtime) -> anyhow::Result<Vec<Figure>> {
    let mut figures = down(false);
    figures.extend(down(true));
    figures.extend(up()?);
    figures.extend(runtime.block_on(work(scratch))?);
    Ok(figures)
}

fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

/// How late backends that hang are declared down.
fn down(pinned: bool) -> Vec<Figure> {
    let fleet = Fleet {
        healthy: 8,
        hanging: 5 * HANGING.len(),
        deadline: DEADLINE,
        pinned,
    };
    let seen = fleet.run();
    let place = if pinned { "one processor" } else { "all processors" };
    let limit = (0..20)
        .map(|_| {
            let begin = Instant::now();
            std::thread::sleep(Duration::from_millis(50));
            milliseconds(begin.elapsed()) - 50.0
        })
        .fold(0.0, f64::max);
    let figure = |what: String, value| Figure {
        what,
        value,
        unit: "ms",
        limit: Some(("a thread that sleeps".into(), limit)),
    };
    let phases = seen
        .late_ms
        .iter()
        .map(|(guest, late)| figure(format!("{guest} down after deadline, {place}"), *late));
    let mut figures: Vec<Figure> = phases.collect();
    figures.push(figure(
        format!("all {} down after deadline, worst, {place}", fleet.hanging),
        seen.worst_late_ms(),
    ));
    figures
}

/// How soon a backend is up after its storage was mended.
fn up() -> anyhow::Result<Vec<Figure>> {
    let mut service = Service::configure(
        &format!("periodic_interval = \"{}ms\"", INTERVAL.as_millis()),
        "[backends.mended]\nbackup_driver = \"posix\"\nbackup_posix_path = \"{folder}/mount\"\nfailure_threshold = 1\n\
         grants.directories = [{ path = \"{folder}/mount\", access = \"read-write\" }]\n",
    );
    service.start();
    let storage = service.path("mount");
    let mut took = Vec::new();
    for round in 0..12_u64 {
        service.wait_for_all(Duration::from_secs(10), |status| status["phase"] == "down");
        // At another moment of the interval each time.
        std::thread::sleep(Duration::from_millis(1500 + 83 * round));
        std::fs::create_dir(&storage)?;
        let begin = Instant::now();
        service.wait_for_all(Duration::from_secs(10), |status| status["state"] == "up");
        took.push(milliseconds(begin.elapsed()));
        std::fs::remove_dir_all(&storage)?;
    }
    service.stop();
    took.sort_by(f64::total_cmp);
    let figure = |what: &str, value: Option<&f64>| Figure {
        what: what.into(),
        value: value.copied().unwrap_or_default(),
        unit: "ms",
        limit: Some(("periodic_interval".into(), milliseconds(INTERVAL))),
    };
    Ok(vec![
        figure("up after repair, median", took.get(took.len() / 2)),
        figure("up after repair, worst of 12", took.last()),
    ])
}

/// A healthy neighbour: its driver, and an instance of it.
struct Neighbour {
    sandbox: Sandbox,
    driver: Driver,
    provision: Provision,
    limits: Arc<Limits>,
    instance: Instance,
}

impl Neighbour {
    async fn initialize(&self) -> anyhow::Result<Instance> {
        let budget = budget();
        let instance = self
            .sandbox
            .open(&self.driver, "bench", &self.provision, &self.limits, &budget)
            .await?;
        instance.do_setup(&self.provision.settings, &budget).await?;
        instance.check_for_setup_error(&budget).await?;
        Ok(instance)
    }

    /// Initialisations, or probes, one after another: seconds for each.
    async fn one_after_another(&self, kind: Kind) -> anyhow::Result<f64> {
        let (begin, mut count) = (Instant::now(), 0_u32);
        while begin.elapsed() < TURN {
            self.one(kind).await?;
            count += 1;
        }
        Ok(begin.elapsed().as_secs_f64() / f64::from(count))
    }

    /// The same now and then, as a service does it: the middle of the seconds that each took.
    async fn now_and_then(&self, kind: Kind) -> anyhow::Result<f64> {
        let (begin, mut took) = (Instant::now(), Vec::new());
        while begin.elapsed() < TURN {
            tokio::time::sleep(Duration::from_millis(3)).await;
            let begin = Instant::now();
            self.one(kind).await?;
            took.push(begin.elapsed().as_secs_f64());
        }
        took.sort_by(f64::total_cmp);
        Ok(took.get(took.len() / 2).copied().unwrap_or_default())
    }

    async fn one(&self, kind: Kind) -> anyhow::Result<()> {
        match kind {
            Kind::Initialization => drop(self.initialize().await?),
            Kind::Probe => self.instance.probe(&budget()).await?,
            Kind::Put => self.put().await?,
        }
        Ok(())
    }

    /// An object of 16 MiB, fed by another thread.
    async fn put(&self) -> anyhow::Result<()> {
        let (writer, reader) = stream::channel(stream::DEFAULT_PIECES);
        let feed = std::thread::spawn(move || {
            let piece = Bytes::from(vec![0xa5_u8; 1 << 20]);
            for _ in 0..16 {
                if writer.blocking_write(piece.clone()).is_err() {
                    return;
                }
            }
            let _ = writer.blocking_finish();
        });
        let at = ObjectAddress {
            container: "bench".into(),
            name: "object".into(),
        };
        self.instance.put_object(at, reader, STREAMED).await?;
        let _ = feed.join();
        Ok(())
    }

    /// All of the neighbour's figures, in seconds.
    async fn work(&self) -> anyhow::Result<Work> {
        Ok(Work {
            initializations: self.one_after_another(Kind::Initialization).await?,
            probes: self.one_after_another(Kind::Probe).await?,
            initialization: self.now_and_then(Kind::Initialization).await?,
            probe: self.now_and_then(Kind::Probe).await?,
            puts: self.one_after_another(Kind::Put).await?,
        })
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Initialization,
    Probe,
    Put,
}

/// Seconds that each takes: one after another without a pause, and now and then.
#[derive(Debug, Clone, Copy)]
struct Work {
    initializations: f64,
    probes: f64,
    initialization: f64,
    probe: f64,
    puts: f64,
}

impl Work {
    const NEVER: Work = Work {
        initializations: f64::MAX,
        probes: f64::MAX,
        initialization: f64::MAX,
        probe: f64::MAX,
        puts: f64::MAX,
    };

    fn best(self, other: Work) -> Work {
        Work {
            initializations: self.initializations.min(other.initializations),
            probes: self.probes.min(other.probes),
            initialization: self.initialization.min(other.initialization),
            probe: self.probe.min(other.probe),
            puts: self.puts.min(other.puts),
        }
    }
}

/// Guests that hang until they are dropped, computing and calling the host without end.
async fn crowd(neighbour: &Neighbour) -> anyhow::Result<Vec<tokio::task::JoinHandle<()>>> {
    let mut tasks = Vec::new();
    for number in 0..HOSTILE {
        let guest = ["spin-in-setup", "endless-host-calls"]
            .get(number % 2)
            .copied()
            .unwrap_or("good");
        let driver = neighbour.sandbox.load(&hostile(guest), &neighbour.limits).await?;
        let (sandbox, limits) = (neighbour.sandbox.clone(), neighbour.limits.clone());
        tasks.push(tokio::spawn(async move {
            let budget = Budget::new(Duration::from_secs(600), PLENTY);
            if let Ok(instance) = sandbox
                .open(&driver, "hostile", &Provision::default(), &limits, &budget)
                .await
            {
                let _ = instance.do_setup(&[], &budget).await;
            }
        }));
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    Ok(tasks)
}

async fn work(scratch: &Path) -> anyhow::Result<Vec<Figure>> {
    let (sandbox, driver, provision) = posix(scratch).await?;
    let limits = Arc::new(Limits::default());
    let instance = sandbox
        .open(&driver, "bench", &provision, &limits, &budget())
        .await?;
    instance.do_setup(&provision.settings, &budget()).await?;
    instance.create_container("bench").await?;
    let neighbour = Neighbour {
        sandbox,
        driver,
        provision,
        limits,
        instance,
    };
    for guest in ["spin-in-setup", "endless-host-calls"] {
        neighbour.sandbox.load(&hostile(guest), &neighbour.limits).await?;
    }
    let canary = native_initializations(&scratch.join("native"))?;
    let round_trip = native_round_trips()?;
    let (mut alone, mut beside, mut busy) = (Work::NEVER, Work::NEVER, Work::NEVER);
    for _ in 0..TURNS {
        alone = alone.best(neighbour.work().await?);
        let tasks = crowd(&neighbour).await?;
        beside = beside.best(neighbour.work().await?);
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
        while neighbour.sandbox.threads_ending() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // What the machine itself takes for one thread that computes.
        let stop = Arc::new(AtomicBool::new(false));
        let spinning = stop.clone();
        let thread = std::thread::spawn(move || while !spinning.load(Ordering::Relaxed) {});
        busy = busy.best(neighbour.work().await?);
        stop.store(true, Ordering::Relaxed);
        let _ = thread.join();
    }
    let slower = |what: &str, seconds: fn(&Work) -> f64| {
        let percent = |work: &Work| 100.0 * (seconds(work) / seconds(&alone) - 1.0);
        Figure {
            what: format!("{what} beside {HOSTILE} hostile guests, slower"),
            value: percent(&beside),
            unit: "%",
            limit: Some((
                "percent beside one native thread that computes".into(),
                percent(&busy),
            )),
        }
    };
    Ok(vec![
        Figure {
            what: "initialisations, one after another".into(),
            value: 1.0 / alone.initializations,
            unit: "1/s",
            limit: Some(("a thread and the canary's file operations".into(), canary)),
        },
        Figure {
            what: "one probe".into(),
            value: 1e6 * alone.probe,
            unit: "us",
            limit: Some(("asking a thread".into(), 1e6 / round_trip)),
        },
        slower("an initialisation", |work| work.initialization),
        slower("a probe", |work| work.probe),
        slower("puts without a pause", |work| work.puts),
        slower("initialisations without a pause", |work| work.initializations),
        slower("probes without a pause", |work| work.probes),
    ])
}

/// What an initialisation cannot do without: a thread that starts, makes folders, writes, syncs, reads and removes.
fn native_initializations(folder: &Path) -> anyhow::Result<f64> {
    fn canary(folder: &Path) -> std::io::Result<()> {
        let canary = folder.join("canary");
        std::fs::create_dir_all(&canary)?;
        std::fs::write(canary.join("part"), [7; 64])?;
        std::fs::File::open(canary.join("part"))?.sync_all()?;
        std::fs::rename(canary.join("part"), canary.join("object"))?;
        std::fs::File::open(&canary)?.sync_all()?;
        std::fs::read(canary.join("object"))?;
        std::fs::remove_dir_all(&canary)
    }
    let (begin, mut count) = (Instant::now(), 0_u32);
    while begin.elapsed() < TURN {
        let folder = folder.to_owned();
        let thread = std::thread::spawn(move || canary(&folder));
        thread
            .join()
            .map_err(|_| anyhow::anyhow!("the canary's thread panicked"))??;
        count += 1;
    }
    Ok(f64::from(count) / begin.elapsed().as_secs_f64())
}

/// Questions a second to a thread that answers at once.
fn native_round_trips() -> anyhow::Result<f64> {
    let (ask, asked) = std::sync::mpsc::channel::<std::sync::mpsc::Sender<()>>();
    let thread = std::thread::spawn(move || {
        for answer in asked {
            let _ = answer.send(());
        }
    });
    let (begin, mut count) = (Instant::now(), 0_u32);
    while begin.elapsed() < TURN {
        let (answer, answered) = std::sync::mpsc::channel();
        ask.send(answer)?;
        answered.recv()?;
        count += 1;
    }
    let rate = f64::from(count) / begin.elapsed().as_secs_f64();
    drop(ask);
    let _ = thread.join();
    Ok(rate)
}
