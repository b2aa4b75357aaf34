//! Benchmarks: each figure beside a native or physical limit that was measured in the same run.
//!
//! `./dev bench [init] [object] [backup] [supervision]`; all of them by default, as a table, or as JSON lines with
//! `--json`. `transfer [SIZE_MIB]`, only when it is named, compares
//! with other programs and writes `bench/results/`; so does `drivers`, for put and get over the network. `guests`, only when it is named, measures the
//! drivers of all languages. `sparse [DATA_GIB
//! VOLUME_GIB]`, only when it is named, takes a while and much disk; so does `catalog [ROWS]`, which writes its results too;
//! `api [CLIENTS SECONDS]` floods the REST API. `soak MINUTES [SEED]`, `torture KILLS [SEED]` and `stops
//! COUNT [SEED]` are programs of their own, for `./dev soak` and `./dev torture`. The work
//! is done in `/dev/shm` where that is there, so that a disk does not hide what is measured; `--disk` uses the
//! temporary folder instead. Each figure is the best of several runs, because noise only ever adds.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that prints figures"
)]

mod api;
mod backup;
mod catalog;
mod drivers;
mod guests;
mod init;
mod profile;
mod results;
mod soak;
mod sparse;
mod supervision;
mod transfer;

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// One figure.
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) what: String,
    /// The measured value, in `unit`.
    pub(crate) value: f64,
    /// Its unit.
    pub(crate) unit: &'static str,
    /// The limit it is compared with: what that is, and its value in the same unit.
    pub(crate) limit: Option<(String, f64)>,
}

/// The best of several runs.
pub(crate) fn best(
    runs: usize,
    mut run: impl FnMut() -> anyhow::Result<Duration>,
) -> anyhow::Result<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..runs {
        best = best.min(run()?);
    }
    Ok(best)
}

/// How long it takes.
pub(crate) fn time<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<Duration> {
    let begin = Instant::now();
    work()?;
    Ok(begin.elapsed())
}

/// MiB per second.
pub(crate) fn rate(bytes: u64, span: Duration) -> f64 {
    bytes as f64 / f64::from(1 << 20) / span.as_secs_f64()
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, count, seed @ ..] = arguments.as_slice() {
        let seed = seed.first().map_or(Ok(7), |seed| seed.parse())?;
        match word.as_str() {
            "soak" => {
                soak::run(count.parse()?, seed);
                return Ok(());
            }
            "torture" => {
                println!(
                    "seed {seed}: {}",
                    cofferdam_tests::torture::torture(count.parse()?, seed)
                );
                return Ok(());
            }
            "stops" => {
                // Without a Swift it has said so itself.
                if let Some(seen) = cofferdam_tests::stops::stops(count.parse()?, seed) {
                    println!("seed {seed}: {seen}");
                    anyhow::ensure!(
                        seen.stuck + seen.false_ups == 0,
                        "a storage was stuck or falsely up"
                    );
                }
                return Ok(());
            }
            _ => {}
        }
    }
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let wanted = |word: &str| {
        has(word)
            || ![
                "init",
                "object",
                "backup",
                "supervision",
                "transfer",
                "drivers",
                "guests",
                "sparse",
                "api",
                "catalog",
            ]
            .into_iter()
            .any(has)
    };
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() && !has("--disk") && !has("sparse") {
        memory
    } else {
        std::env::temp_dir()
    };
    let scratch = tempfile::tempdir_in(folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut figures = Vec::new();
    if wanted("init") {
        figures.extend(runtime.block_on(init::measure(scratch.path()))?);
    }
    if wanted("object") {
        figures.extend(runtime.block_on(guests::measure(scratch.path(), &["posix"]))?);
    }
    if wanted("backup") {
        figures.extend(runtime.block_on(backup::measure(scratch.path()))?);
    }
    if wanted("supervision") {
        figures.extend(supervision::measure(scratch.path(), &runtime)?);
    }
    if has("transfer") {
        let size = arguments
            .iter()
            .find_map(|argument| argument.parse().ok())
            .unwrap_or(1024);
        let (rows, profiles) = transfer::measure(scratch.path(), size)?;
        results::show(&rows, &profiles, size)?;
    }
    if has("sparse") {
        let mut numbers = arguments.iter().filter_map(|argument| argument.parse().ok());
        let (data, volume) = (numbers.next().unwrap_or(20), numbers.next().unwrap_or(1024));
        figures.extend(sparse::measure(scratch.path(), data, volume)?);
    }
    if has("catalog") {
        let rows = arguments.iter().find_map(|argument| argument.parse().ok());
        let rows = rows.unwrap_or(1_000_000);
        let measured = runtime.block_on(catalog::measure(scratch.path(), rows))?;
        catalog::write(
            &measured,
            rows,
            &PathBuf::from(results::FOLDER).join("catalog.md"),
        )?;
        figures.extend(measured);
    }
    if has("guests") {
        figures.extend(runtime.block_on(guests::measure(scratch.path(), &guests::ALL))?);
    }
    if has("drivers") {
        drivers::run(scratch.path(), &runtime)?;
    }
    if has("api") {
        let mut numbers = arguments
            .iter()
            .filter_map(|argument| argument.parse::<u32>().ok());
        let (clients, seconds) = (numbers.next().unwrap_or(200), numbers.next().unwrap_or(60));
        api::run(&runtime, clients as usize, Duration::from_secs(seconds.into()))?;
    }
    for figure in &figures {
        if has("--json") {
            let limit = figure.limit.as_ref().map(|(what, value)| {
                serde_json::json!({ "what": what, "value": value, "ratio": figure.value / value })
            });
            println!(
                "{}",
                serde_json::json!({ "what": figure.what, "value": figure.value, "unit": figure.unit, "limit": limit })
            );
        } else {
            let limit = figure.limit.as_ref().map_or_else(String::new, |(what, value)| {
                format!("{:6.2} of {value:.1} ({what})", figure.value / value)
            });
            println!(
                "{:52} {:10.2} {:6} {limit}",
                figure.what, figure.value, figure.unit
            );
        }
    }
    Ok(())
}
