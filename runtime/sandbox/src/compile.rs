//! Compiling components: in a child process with resource limits, once per component and engine.
//!
//! Problem: Cranelift's time and memory for a hostile component have no bound, and a bug in it must not take the
//! service down. So a child process of this very binary compiles, under a wall-clock limit and rlimits, and hands back
//! a file of machine code. That file is trusted like our own code, so it lives in a private folder (mode 0700), under
//! a name made of the component's digest and the engine's compatibility hash, with a seal beside it: the code's length and CRC-32C,
//! which are checked at each load, and what was found when the component was examined, so that this is not done again. The seal is
//! against damage; who can write into the folder could write a seal too, however strong it is.
//! At most [`ABREAST`] compile at once, at a lower priority; who waits for the same component finds it in the cache then.
//! Cost: 0.1 s for a Rust driver, 7 to 20 s for Python or JavaScript, the first time; 1 to 30 ms from the cache.

use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::component::{ComponentReport, EXAMINATION};
use crate::failure::{Failure, Phase, clean};
use crate::limits::{Limits, TEXT};

/// Components that are compiled at the same time.
pub(crate) const ABREAST: usize = 2;

/// How to start the compiling child: a program that calls [`child`] when it is given these arguments.
#[derive(Debug, Clone)]
pub struct CompileHelper {
    /// The program; `/proc/self/exe` for the running binary itself.
    pub program: PathBuf,
    /// Its first arguments; the limit of memory and the output file are added.
    pub arguments: Vec<OsString>,
}

fn host(reason: String) -> Failure {
    Failure::Host {
        phase: Phase::Compile,
        reason,
        remedy: "check the compile cache's folder and its file system".into(),
    }
}

/// What stands beside machine code.
#[derive(Serialize, Deserialize)]
struct Seal {
    /// The code's length and CRC-32C.
    code: (u64, u32),
    /// What the component was found to be.
    report: ComponentReport,
}

/// Where the code of a component is, and its seal.
fn places(engine: &Engine, cache: &Path, digest: &str) -> (PathBuf, PathBuf) {
    let name = format!("{digest}-{:016x}", compatibility(engine));
    (
        cache.join(format!("{name}.cwasm")),
        cache.join(format!("{name}.seal")),
    )
}

/// A component that was examined and compiled before, by its digest.
pub(crate) async fn cached(
    engine: &Engine,
    cache: &Path,
    digest: &str,
) -> Option<(Component, ComponentReport)> {
    let (code, seal) = places(engine, cache, digest);
    load(engine, &code, &seal).await
}

/// Compiles a component that was examined, and keeps the code in the cache.
pub(crate) async fn compile(
    engine: &Engine,
    helper: &CompileHelper,
    cache: &Path,
    limits: &Limits,
    report: &ComponentReport,
    bytes: &[u8],
) -> Result<Component, Failure> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(cache)
        .map_err(|error| {
            host(format!(
                "the compile cache {} cannot be made: {error}",
                cache.display()
            ))
        })?;
    let (code, seal) = places(engine, cache, &report.digest);
    // Who was before this one in the queue may have made it.
    if let Some((component, _)) = load(engine, &code, &seal).await {
        return Ok(component);
    }
    let fresh = tempfile::Builder::new()
        .prefix("compiling-")
        .tempdir_in(cache)
        .map_err(|error| host(format!("{} cannot be written: {error}", cache.display())))?;
    let output = fresh.path().join("code");
    run_child(helper, limits, bytes, &output).await?;
    let checked =
        check_of(&output).map_err(|error| host(format!("the compiled code cannot be read: {error}")))?;
    let publish = || -> std::io::Result<()> {
        let sealed = fresh.path().join("seal");
        let words = Seal {
            code: checked,
            report: report.clone(),
        };
        std::fs::write(&sealed, serde_json::to_vec(&words)?)?;
        std::fs::rename(&output, &code)?;
        std::fs::rename(&sealed, &seal)
    };
    publish().map_err(|error| host(format!("the compile cache cannot be written: {error}")))?;
    let loaded = load(engine, &code, &seal).await;
    loaded
        .map(|(component, _)| component)
        .ok_or_else(|| host("the compiled code cannot be loaded again".into()))
}

/// Loads machine code when it is there and whole; anything else counts as not there and is compiled anew.
async fn load(engine: &Engine, code: &Path, seal: &Path) -> Option<(Component, ComponentReport)> {
    let (engine, code, seal) = (engine.clone(), code.to_owned(), seal.to_owned());
    let loading = tokio::task::spawn_blocking(move || load_now(&engine, &code, &seal));
    loading.await.ok().flatten()
}

fn load_now(engine: &Engine, code: &Path, seal: &Path) -> Option<(Component, ComponentReport)> {
    let seal: Seal = serde_json::from_slice(&std::fs::read(seal).ok()?).ok()?;
    if check_of(code).ok()? != seal.code {
        tracing::warn!(file = %code.display(), "the compile cache's file is damaged; compiling anew");
        return None;
    }
    #[allow(
        unsafe_code,
        reason = "the one place: machine code that this binary wrote, from a private folder, checked for damage"
    )]
    // SAFETY: the file was written by `child` of this binary for an engine of the same compatibility hash into a
    // folder of mode 0700, and its length and CRC-32C are those that were recorded then.
    let component = unsafe { Component::deserialize_file(engine, code) };
    Some((component.ok()?, seal.report))
}

fn check_of(path: &Path) -> std::io::Result<(u64, u32)> {
    let mut file = std::fs::File::open(path)?;
    let (mut length, mut sum, mut buffer) = (0, 0, vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((length, sum));
        }
        length += read as u64;
        sum = crc32c::crc32c_append(sum, buffer.get(..read).unwrap_or_default());
    }
}

/// A number that differs between engines whose code is not interchangeable, and between versions that examine in another way.
fn compatibility(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    (env!("CARGO_PKG_VERSION"), EXAMINATION).hash(&mut hasher);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

async fn run_child(
    helper: &CompileHelper,
    limits: &Limits,
    bytes: &[u8],
    output: &Path,
) -> Result<(), Failure> {
    let mut child = tokio::process::Command::new(&helper.program)
        .args(&helper.arguments)
        .arg(limits.compile_memory.to_string())
        .arg(output)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            host(format!(
                "{} cannot be started to compile: {error}",
                helper.program.display()
            ))
        })?;
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let work = async {
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A child that died early is reported by its status, not by the broken pipe.
                let _ = stdin.write_all(bytes).await;
            }
        };
        let listen = async {
            let mut text = Vec::new();
            if let Some(stderr) = stderr {
                let _ = stderr.take(64 << 10).read_to_end(&mut text).await;
            }
            text
        };
        let ((), text) = tokio::join!(feed, listen);
        (child.wait().await, text)
    };
    let Ok((status, text)) = tokio::time::timeout(limits.compile_timeout, work).await else {
        return Err(Failure::CompileTimeout {
            limit: limits.compile_timeout,
        });
    };
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::InvalidComponent {
            reason: format!(
                "it cannot be compiled ({status}): {}",
                clean(String::from_utf8_lossy(&text).trim(), TEXT)
            ),
        }),
        Err(error) => Err(host(format!("the compiling child is lost: {error}"))),
    }
}

/// The child's work: reads a component from standard input, writes its machine code to `output`.
///
/// # Errors
/// A sentence for the parent, which the caller prints on standard error before it exits non-zero.
pub fn child(memory: u64, output: &Path) -> Result<(), String> {
    use rustix::process::{Resource, Rlimit, nice, setrlimit};
    let bound = |resource, value: u64| {
        setrlimit(
            resource,
            Rlimit {
                current: Some(value),
                maximum: Some(value),
            },
        )
        .map_err(|error| format!("a limit of the compiling process cannot be set: {error}"))
    };
    // Those that are being initialised or move data come first. Without the right to step back it goes on all the same.
    let _ = nice(10);
    bound(Resource::Core, 0)?;
    bound(Resource::As, memory)?;
    bound(Resource::Fsize, memory)?;
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|error| format!("the component cannot be read: {error}"))?;
    let engine = crate::engine::engine().map_err(|error| format!("{error:#}"))?;
    let code = engine
        .precompile_component(&bytes)
        .map_err(|error| format!("{error:#}"))?;
    let write = || {
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(output)?;
        file.write_all(&code)?;
        file.sync_all()
    };
    write().map_err(|error: std::io::Error| format!("{} cannot be written: {error}", output.display()))
}
