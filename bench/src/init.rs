//! Initialisation: compile, load from the cache, instantiate and `do-setup`.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cofferdam_sandbox::compile::CompileHelper;
use cofferdam_sandbox::contract::SettingValue;
use cofferdam_sandbox::requirements::{DirectoryGrant, Grants, Provision, provide};
use cofferdam_sandbox::{Budget, Driver, Limits, Sandbox};
use cofferdam_tests::{PLENTY, cofferdam, drivers};

use crate::Figure;

/// A sandbox and the posix driver, with one granted folder.
/// What compiles.
pub(crate) fn helper() -> CompileHelper {
    CompileHelper {
        program: cofferdam(),
        arguments: vec!["compile-component".into()],
    }
}

pub(crate) async fn posix(scratch: &Path) -> anyhow::Result<(Sandbox, Driver, Provision)> {
    let sandbox = Sandbox::start(helper(), scratch.join("compiled")).await?;
    let limits = Arc::new(Limits::default());
    let driver = sandbox.load(&drivers().join("posix.wasm"), &limits).await?;
    let info = sandbox.describe(&driver, "bench", &limits, &budget()).await?;
    let root = scratch.join("root");
    std::fs::create_dir_all(&root)?;
    let path = SettingValue::Text(root.to_string_lossy().into_owned());
    let grants = Grants {
        directories: vec![DirectoryGrant {
            path: root,
            write: true,
        }],
        ..Grants::default()
    };
    let provision = provide(
        &info,
        &[("backup_posix_path".to_owned(), path.into())].into(),
        &grants,
    )?;
    Ok((sandbox, driver, provision))
}

/// A budget that nothing here uses up.
pub(crate) fn budget() -> Budget {
    Budget::new(Duration::from_secs(60), PLENTY)
}

pub(crate) async fn measure(scratch: &Path) -> anyhow::Result<Vec<Figure>> {
    let begin = Instant::now();
    let (sandbox, driver, provision) = posix(scratch).await?;
    let cold = begin.elapsed();
    let limits = Arc::new(Limits::default());
    let mut load = Duration::MAX;
    for _ in 0..5 {
        let begin = Instant::now();
        sandbox.load(&drivers().join("posix.wasm"), &limits).await?;
        load = load.min(begin.elapsed());
    }
    let mut open = Vec::new();
    let mut thread = Vec::new();
    for _ in 0..200 {
        let begin = Instant::now();
        let instance = sandbox
            .open(&driver, "bench", &provision, &limits, &budget())
            .await?;
        instance.do_setup(&provision.settings, &budget()).await?;
        open.push(begin.elapsed());
        drop(instance);
        // The floor: a thread that starts, answers and ends.
        let begin = Instant::now();
        let (answer, answered) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || answer.send(()));
        answered.await?;
        thread.push(begin.elapsed());
    }
    open.sort();
    thread.sort();
    let microseconds =
        |spans: &[Duration], at: usize| spans.get(at).map_or(0.0, |span| span.as_secs_f64() * 1e6);
    let floor = microseconds(&thread, 100);
    Ok(vec![
        Figure {
            what: "self-test, compile, load (cold)".into(),
            value: cold.as_secs_f64() * 1e3,
            unit: "ms",
            limit: None,
        },
        Figure {
            what: "load from the compile cache".into(),
            value: load.as_secs_f64() * 1e3,
            unit: "ms",
            limit: None,
        },
        Figure {
            what: "instantiate + do-setup (warm, median)".into(),
            value: microseconds(&open, 100),
            unit: "us",
            limit: Some(("starting a thread".into(), floor)),
        },
        Figure {
            what: "instantiate + do-setup (warm, 99th of 100)".into(),
            value: microseconds(&open, 198),
            unit: "us",
            limit: None,
        },
    ])
}
