//! `api [CLIENTS] [SECONDS]`: so many clients at once do with Cinder's API what people and dashboards do, as fast as they are
//! answered; how long each kind of request takes, and how many fail, which must be none.
//!
//! Beside it the limit: the same number of requests by as many connections to a bare hyper server that answers each with the
//! same few hundred bytes. Each client has a project and a connection of its own; it lists, shows, makes a volume, backs it up, looks
//! until that is done, and deletes both. Written to `bench/results/api.md`.

mod client;
mod native;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use cofferdam_tests::cinder::Cinder;
use tokio::runtime::Runtime;

use crate::results::{FOLDER, load};

/// How long each request of a kind took.
pub(crate) type Took = BTreeMap<&'static str, Vec<Duration>>;

/// What came of a flood.
struct Flood {
    took: Took,
    errors: Vec<String>,
    span: Duration,
}

impl Flood {
    fn count(&self) -> usize {
        self.took.values().map(Vec::len).sum()
    }

    fn rate(&self) -> f64 {
        self.count() as f64 / self.span.as_secs_f64()
    }
}

/// Measures, prints, and writes the results.
pub(crate) fn run(runtime: &Runtime, clients: usize, span: Duration) -> anyhow::Result<()> {
    let mut cinder = Cinder::start(
        "quota_backups = -1\nquota_backup_gigabytes = -1\nquota_volumes = -1\nquota_gigabytes = -1\n",
    );
    let address = format!("127.0.0.1:{}", cinder.port());
    let served = runtime.block_on(flood(&address, clients, span))?;
    cinder.stop();
    // The bare server, with a runtime of its own as the service has.
    let servers = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let address = servers.block_on(native::serve())?;
    let each = served.count().div_ceil(clients.max(1));
    let bare = runtime.block_on(native::flood(&address, clients, each))?;
    servers.shutdown_background();

    let table = table(&served, &bare, clients);
    print!("{table}");
    std::fs::create_dir_all(FOLDER)?;
    std::fs::write(format!("{FOLDER}/api.md"), &table)?;
    println!("written: {FOLDER}/api.md");
    anyhow::ensure!(
        served.errors.is_empty(),
        "{} requests failed, such as: {}",
        served.errors.len(),
        served.errors.first().map_or("", String::as_str)
    );
    Ok(())
}

async fn flood(address: &str, clients: usize, span: Duration) -> anyhow::Result<Flood> {
    let begin = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|number| tokio::spawn(client::run(address.to_owned(), number, begin + span)))
        .collect();
    let mut flood = Flood {
        took: Took::new(),
        errors: Vec::new(),
        span,
    };
    for task in tasks {
        let (took, errors) = task.await.context("a client ends")?;
        for (kind, spans) in took {
            flood.took.entry(kind).or_default().extend(spans);
        }
        flood.errors.extend(errors);
    }
    flood.span = begin.elapsed();
    Ok(flood)
}

fn table(served: &Flood, bare: &Flood, clients: usize) -> String {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let mut text = format!(
        "{clients} clients for {:.0} s, each with a connection of its own, on the {processors} processors that the service has too, \
         load {} at the end. {} requests, {} errors, {:.0} requests a second; a bare hyper server answers {:.0} a second ({:.2} of that). \
         Milliseconds:\n\n| request | count | p50 | p90 | p99 | max |\n| --- | ---: | ---: | ---: | ---: | ---: |\n",
        served.span.as_secs_f64(),
        load(),
        served.count(),
        served.errors.len(),
        served.rate(),
        bare.rate(),
        served.rate() / bare.rate(),
    );
    for (kind, spans) in served.took.iter().chain(&bare.took) {
        row(&mut text, kind, spans.clone());
    }
    text
}

fn row(text: &mut String, kind: &str, mut spans: Vec<Duration>) {
    spans.sort();
    let at = |share: f64| {
        let index = (spans.len() as f64 * share) as usize;
        let span = spans.get(index.min(spans.len().saturating_sub(1)));
        span.map_or(0.0, |span| span.as_secs_f64() * 1e3)
    };
    let _ = writeln!(
        text,
        "| {kind} | {} | {:.2} | {:.2} | {:.2} | {:.2} |",
        spans.len(),
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
}
