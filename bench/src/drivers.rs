//! `drivers`: put and get by the drivers s3 and swift, beside the same requests without a sandbox.
//!
//! Each is measured against a server that costs next to nothing ([`sink`]), so that the sandbox's own cost shows, and against a
//! real Swift where this machine can have one. What is sent natively are the very requests that the driver sent, heads and all
//! ([`native`]); both sides have one connection driven by one thread, the digests ready beforehand, and a reader of what is got on
//! another thread, and take turns, the best of [`RUNS`] counting. Processor time is the client's alone. Then several instances at once, memory, and backups beside
//! Cinder's own drivers ([`cinder`]). Results go to `bench/results/drivers.md`.

mod abreast;
mod cinder;
mod client;
mod native;
mod report;
mod sink;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use cofferdam_sandbox::{Instance, Sandbox};
use cofferdam_tests::process::Usage;
use cofferdam_tests::servers::Swift;
use tokio::runtime::Runtime;

use crate::rate;
use client::{Access, Client, Object};
use native::Native;
use sink::{Head, Sink};

const DRIVERS: [&str; 2] = ["s3", "swift"];
const SIZES_MIB: [u64; 2] = [8, 64];
/// Bytes that one run moves, in MiB.
const RUN_MIB: u64 = 256;
const RUNS: usize = 5;
/// One direction of one object's size, by one driver, with one server.
pub(crate) struct Row {
    pub(crate) server: &'static str,
    pub(crate) driver: &'static str,
    pub(crate) what: String,
    /// MiB a second.
    pub(crate) ours: f64,
    pub(crate) native: f64,
    /// Milliseconds of processor time for a GiB.
    pub(crate) our_cpu: Option<f64>,
    pub(crate) native_cpu: Option<f64>,
    /// Per object.
    pub(crate) requests: Option<f64>,
}

/// What was found beside the rows.
#[derive(Default)]
pub(crate) struct Notes(pub(crate) Vec<String>);

/// Measures all of it, prints it and writes it down.
pub(crate) fn run(scratch: &Path, runtime: &Runtime) -> anyhow::Result<()> {
    let (mut rows, mut notes) = (Vec::new(), Notes::default());
    let sink = Sink::start()?;
    let sandbox = runtime.block_on(client::sandbox(scratch))?;
    let swift = Swift::start(24000);
    for driver in DRIVERS {
        let url = format!("http://{}", sink.authority());
        let auth_url = format!("{url}/auth/v1.0");
        let access = swift.as_ref().map(access);
        let fake = Access {
            url: &url,
            auth_url: &auth_url,
            user: "test:tester",
            key: "testing",
        };
        let bench = Bench {
            runtime,
            sandbox: &sandbox,
            sink: &sink,
            driver,
        };
        rows.extend(bench.with_sink(fake, &mut notes)?);
        if let Some(access) = access {
            rows.extend(bench.with_swift(fake, access)?);
        }
    }
    let compared = match &swift {
        Some(swift) => cinder::compare(scratch, swift)?,
        None => Vec::new(),
    };
    report::show(&rows, &notes, &compared)
}

fn access(swift: &Swift) -> Access<'_> {
    Access {
        url: swift.value("swift_url"),
        auth_url: swift.value("auth_url"),
        user: swift.value("user"),
        key: swift.value("key"),
    }
}

struct Bench<'a> {
    runtime: &'a Runtime,
    sandbox: &'a Sandbox,
    sink: &'a Sink,
    driver: &'static str,
}

/// Two ways of doing the same.
struct Sides {
    /// For one run.
    ours: Duration,
    native: Duration,
    our_cpu: Duration,
    native_cpu: Duration,
}

impl Bench<'_> {
    fn instance(&self, access: Access<'_>) -> anyhow::Result<Instance> {
        self.runtime.block_on(async {
            let client = Client::new(self.sandbox, self.driver, access).await?;
            client.open().await
        })
    }

    fn with_sink(&self, access: Access<'_>, notes: &mut Notes) -> anyhow::Result<Vec<Row>> {
        let mut rows = Vec::new();
        let instance = self.instance(access)?;
        let mut native = Native::connect(&self.sink.authority())?;
        for mib in SIZES_MIB {
            let object = Object::new(mib);
            let [put, get] = self.heads(&instance, &object)?;
            for (what, head) in [("put", &put), ("get", &get)] {
                let before = self.sink.requests();
                let count = RUN_MIB / mib;
                self.ours(&instance, &object, what, count)?;
                let requests = (self.sink.requests() - before) as f64 / count as f64;
                let sides = self.sides(&instance, &mut native, &object, what, head)?;
                rows.push(self.row("sink", what, mib, &sides, Some(requests)));
            }
        }
        rows.extend(abreast::measure(self, access)?);
        notes.0.push(self.memory(&instance)?);
        Ok(rows)
    }

    /// The requests are signed for the sink; the real server checks the signature by what the request itself says.
    fn with_swift(&self, fake: Access<'_>, real: Access<'_>) -> anyhow::Result<Vec<Row>> {
        let mut rows = Vec::new();
        let (recorder, instance) = (self.instance(fake)?, self.instance(real)?);
        let token = native::log_in(real.auth_url, real.user, real.key)?;
        let mut native = Native::connect(real.url.trim_start_matches("http://"))?;
        for mib in SIZES_MIB {
            let object = Object::new(mib);
            let mut heads = self.heads(&recorder, &object)?;
            for (name, value) in heads.iter_mut().flat_map(|head| &mut head.headers) {
                if name.eq_ignore_ascii_case("x-auth-token") {
                    value.clone_from(&token);
                }
            }
            let [put, get] = heads;
            for (what, head) in [("put", &put), ("get", &get)] {
                let sides = self.sides(&instance, &mut native, &object, what, head)?;
                rows.push(self.row("Swift", what, mib, &sides, None));
            }
        }
        Ok(rows)
    }

    fn row(&self, server: &'static str, what: &str, mib: u64, sides: &Sides, requests: Option<f64>) -> Row {
        let gib = |cpu: Duration| Some(cpu.as_secs_f64() * 1e3 * 1024.0 / RUN_MIB as f64);
        Row {
            server,
            driver: self.driver,
            what: format!("{what} {mib} MiB"),
            ours: rate(RUN_MIB << 20, sides.ours),
            native: rate(RUN_MIB << 20, sides.native),
            our_cpu: gib(sides.our_cpu),
            native_cpu: gib(sides.native_cpu),
            requests,
        }
    }

    /// What the driver sends to put and to get the object.
    fn heads(&self, instance: &Instance, object: &Object) -> anyhow::Result<[Head; 2]> {
        self.sink.set_size(object.size);
        self.ours(instance, object, "put", 1)?;
        self.ours(instance, object, "get", 1)?;
        let heads = [self.sink.last("PUT")?, self.sink.last("GET")?];
        anyhow::ensure!(
            heads.first().is_some_and(|put| object.is_of(put)),
            "the put was of another object"
        );
        Ok(heads)
    }

    fn ours(&self, instance: &Instance, object: &Object, what: &str, count: u64) -> anyhow::Result<Duration> {
        self.runtime.block_on(async {
            let mut all = Duration::ZERO;
            for _ in 0..count {
                all += match what {
                    "put" => object.put(instance, "object").await?,
                    _ => object.get(instance, "object").await?,
                };
            }
            Ok(all)
        })
    }

    /// Both sides in turn: the best run of each, and the least processor time.
    fn sides(
        &self,
        instance: &Instance,
        native: &mut Native,
        object: &Object,
        what: &str,
        head: &Head,
    ) -> anyhow::Result<Sides> {
        let count = (RUN_MIB << 20) / object.size;
        let mut best = Sides {
            ours: Duration::MAX,
            native: Duration::MAX,
            our_cpu: Duration::MAX,
            native_cpu: Duration::MAX,
        };
        for _ in 0..RUNS {
            let cpu = client_cpu();
            best.ours = best.ours.min(self.ours(instance, object, what, count)?);
            best.our_cpu = best.our_cpu.min(client_cpu().saturating_sub(cpu));
            let cpu = client_cpu();
            let mut all = Duration::ZERO;
            for _ in 0..count {
                all += native.send(self.runtime, head, object)?;
            }
            best.native = best.native.min(all);
            best.native_cpu = best.native_cpu.min(client_cpu().saturating_sub(cpu));
        }
        Ok(best)
    }

    /// How the process grows over many great objects.
    fn memory(&self, instance: &Instance) -> anyhow::Result<String> {
        let mib = SIZES_MIB.into_iter().max().unwrap_or(1);
        let object = Object::new(mib);
        self.sink.set_size(object.size);
        let before = Usage::of(std::process::id()).rss_kib;
        let mut spent = String::new();
        for what in ["put", "get"] {
            let cpu = cpu_by_thread();
            self.ours(instance, &object, what, 16)?;
            let by_thread: Vec<String> = cpu_by_thread()
                .into_iter()
                .map(|(name, now)| {
                    (
                        now.saturating_sub(cpu.get(&name).copied().unwrap_or_default()),
                        name,
                    )
                })
                .filter(|(spent, _)| *spent > Duration::from_millis(5))
                .map(|(spent, name)| {
                    format!(
                        "{name} {:.0}",
                        spent.as_secs_f64() * 1e3 / (16 * mib) as f64 * 1024.0
                    )
                })
                .collect();
            let _ = write!(
                spent,
                " CPU ms/GiB of a {what} by thread: {}.",
                by_thread.join(", ")
            );
        }
        let after = Usage::of(std::process::id()).rss_kib;
        Ok(format!(
            "{}: 16 puts and 16 gets of {mib} MiB changed the resident memory by {:.1} MiB.{spent}",
            self.driver,
            (after as f64 - before as f64) / 1024.0
        ))
    }
}

/// Processor time of the threads of this process that live, by their names, but for the sink's.
fn cpu_by_thread() -> BTreeMap<String, Duration> {
    let mut all = BTreeMap::new();
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    for task in tasks.filter_map(Result::ok) {
        let read = |name: &str| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let name = read("comm").trim().to_owned();
        if name == sink::THREAD {
            continue;
        }
        // The first number of schedstat is nanoseconds on a processor.
        let spent = read("schedstat");
        let spent = spent.split(' ').next().and_then(|text| text.parse().ok());
        *all.entry(name).or_default() += Duration::from_nanos(spent.unwrap_or(0));
    }
    all
}

fn client_cpu() -> Duration {
    cpu_by_thread().into_values().sum()
}
