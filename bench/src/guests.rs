//! Drivers of every language that keep files in a directory, beside a native program, each in its turn: throughput, starts, loading
//! from the cache, memory, and how many instances live within a gigabyte. What is not built is told and left out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use cofferdam_conformance::{Setup, Subject, bench, endure};
use cofferdam_sandbox::contract::{OptionKind, SettingValue};
use cofferdam_sandbox::requirements::{DirectoryGrant, Grants, provide};
use cofferdam_sandbox::{Limits, Sandbox};
use cofferdam_tests::drivers;

use crate::Figure;
use crate::init::{budget, helper};

/// Instances that live at once.
const AT_ONCE: usize = 100;
/// Objects put, got and deleted in one instance, after which its memory is told.
const COUNTS: [u32; 3] = [100, 1_000, 10_000];

/// The drivers, by their components.
pub(crate) const ALL: [&str; 5] = [
    "posix",
    "shelf-rust",
    "shelf-c",
    "shelf-python",
    "shelf-typescript",
];

/// Measures those of the drivers that are there.
pub(crate) async fn measure(scratch: &Path, guests: &[&str]) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for guest in guests {
        let file = drivers().join(format!("{guest}.wasm"));
        if file.is_file() {
            figures.extend(one(guest, &file, &scratch.join(guest)).await?);
        } else {
            eprintln!("SKIPPED: {guest} is not built");
        }
    }
    Ok(figures)
}

async fn one(guest: &str, file: &Path, scratch: &Path) -> anyhow::Result<Vec<Figure>> {
    let (cache, root) = (scratch.join("compiled"), scratch.join("root"));
    std::fs::create_dir_all(&root)?;
    let limits = Limits::default();
    let mut figures = Vec::new();
    let mut plain = |what: &str, value: f64, unit: &'static str| {
        figures.push(Figure {
            what: format!("{guest}: {what}"),
            value,
            unit,
            limit: None,
        });
    };
    let begin = Instant::now();
    let sandbox = Sandbox::start(helper(), cache.clone()).await?;
    drop(sandbox.load(file, &limits).await?);
    plain("compile", begin.elapsed().as_secs_f64(), "s");
    let mut best = f64::MAX;
    for _ in 0..5 {
        let sandbox = Sandbox::start(helper(), cache.clone()).await?;
        let begin = Instant::now();
        drop(sandbox.load(file, &limits).await?);
        best = best.min(begin.elapsed().as_secs_f64() * 1000.0);
    }
    plain("load from the cache", best, "ms");

    let info = cofferdam_conformance::describe(&sandbox, file, &limits).await?;
    let option = info
        .options
        .iter()
        .find(|option| option.kind == OptionKind::Directory)
        .ok_or_else(|| anyhow::anyhow!("{guest} has no directory"))?;
    let text = root.to_string_lossy().into_owned();
    let settings = BTreeMap::from([(option.name.clone(), SettingValue::Text(text).into())]);
    let grants = Grants {
        directories: vec![DirectoryGrant {
            path: root.clone(),
            write: true,
        }],
        ..Grants::default()
    };

    let provision = provide(&info, &settings, &grants)?;
    let driver = sandbox.load(file, &limits).await?;
    let (before, shared) = (resident()?, Arc::new(limits.clone()));
    let mut alive = Vec::with_capacity(AT_ONCE);
    for _ in 0..AT_ONCE {
        let instance = sandbox
            .open(&driver, "bench", &provision, &shared, &budget())
            .await?;
        instance.do_setup(&provision.settings, &budget()).await?;
        instance.probe(&budget()).await?;
        alive.push(instance);
    }
    plain(
        "resident memory of 100 live instances",
        resident()?.saturating_sub(before) as f64 / f64::from(1 << 20),
        "MiB",
    );
    drop(alive);

    let setup = Setup {
        settings,
        grants,
        limits,
        ..Setup::default()
    };
    let subject = Subject::load(&sandbox, file, setup).await?;
    for figure in bench(&subject, "bench").await? {
        figures.push(Figure {
            what: match (figure.unit, figure.native) {
                ("ms", Some(native)) => format!("{guest}: {} (natively {native:.2})", figure.what),
                _ => format!("{guest}: {}", figure.what),
            },
            value: figure.value,
            unit: figure.unit,
            // Of spans less is better: their native side stands in the name.
            limit: figure
                .native
                .filter(|_| figure.unit == "MiB/s")
                .map(|native| ("natively".to_owned(), native)),
        });
    }
    for (count, bytes) in COUNTS.iter().zip(endure(&subject, "bench", &COUNTS).await?) {
        figures.push(Figure {
            what: format!("{guest}: memory of one instance after {count} objects put, got and deleted"),
            value: bytes as f64 / f64::from(1 << 20),
            unit: "MiB",
            limit: None,
        });
    }
    Ok(figures)
}

/// Bytes of memory that this process has now.
fn resident() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(PathBuf::from("/proc/self/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    Ok(kib.ok_or_else(|| anyhow::anyhow!("no VmRSS in /proc/self/status"))? << 10)
}
