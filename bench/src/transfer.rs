//! `transfer`: backups, increments, restores and verifications of one volume through a running service, beside what the
//! machine can do at most, and beside Cinder, restic and borg on the same bytes where they are installed.
//!
//! The volume has of every 8 MiB 4 of noise, 2 of text and 2 of zeros; the second state of it has 5 % of its 32 KiB
//! blocks changed. All files are in the scratch folder. Cinder is the one that `./dev interop` installs; its times are
//! taken inside its process, without its start. Where the machine has to fetch memory from its host first, writing is the
//! limit of every restore: compare with `write and sync`. Results go to `bench/results/` as a table and a plot.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use cofferdam_tests::service::Service;
use serde_json::{Value, json};

use crate::profile::{Profile, Profiling};

const MIB: usize = 1 << 20;
const BLOCK: usize = 32 << 10;
const ALGORITHMS: [&str; 3] = ["none", "zlib", "zstd"];
/// Bytes of an object, for Cinder too: so that this volume has as many as a real one of some hundred GiB has of the
/// default's 2 GB.
const OBJECT: usize = 128 * MIB;
/// Cinder's default, and ours.
const DEFAULT_OBJECT: usize = 1_999_994_880;
/// Generations of the long chain, the full one included.
const CHAIN: u64 = 10;
/// Of these it is told where the time went.
const PROFILED: [&str; 2] = ["full", "restore full"];

/// One measured span.
pub(crate) struct Row {
    pub(crate) who: &'static str,
    pub(crate) what: &'static str,
    pub(crate) algorithm: &'static str,
    pub(crate) seconds: f64,
    /// The most memory of the process meanwhile, in MiB.
    pub(crate) peak_mib: Option<f64>,
}

/// Everything for a volume of so many MiB.
pub(crate) fn measure(scratch: &Path, size_mib: usize) -> anyhow::Result<(Vec<Row>, Vec<Profile>)> {
    let volume = scratch.join("volume");
    make(&volume, size_mib)?;
    let changed = scratch.join("changed");
    std::fs::copy(&volume, &changed)?;
    change(&changed, 1)?;
    let (mut rows, mut profiles) = (limits(scratch, size_mib)?, Vec::new());
    for algorithm in ALGORITHMS {
        let (own, profiled) = ours(scratch, &volume, &changed, algorithm)?;
        rows.extend(own);
        profiles.extend(profiled);
        rows.extend(cinder(scratch, &volume, &changed, algorithm)?);
    }
    rows.extend(restic(scratch, &volume)?);
    rows.extend(borg(scratch, &volume)?);
    Ok((rows, profiles))
}

pub(crate) fn make(path: &Path, size_mib: usize) -> anyhow::Result<()> {
    let mut chance = fastrand::Rng::with_seed(20_260_101);
    let file = File::create(path)?;
    file.set_len((size_mib * MIB) as u64)?;
    let mut piece = vec![0; MIB];
    for index in 0..size_mib {
        match index % 8 {
            0..4 => chance.fill(&mut piece),
            4..6 => text(&mut piece, &mut chance),
            _ => piece.fill(0),
        }
        file.write_all_at(&piece, (index * MIB) as u64)?;
    }
    Ok(())
}

/// Lines as a log has them.
fn text(piece: &mut [u8], chance: &mut fastrand::Rng) {
    const WORDS: [&str; 12] = [
        "volume",
        "backup",
        "chunk",
        "object",
        "container",
        "metadata",
        "restore",
        "driver",
        "status",
        "error",
        "INFO",
        "offset",
    ];
    let mut words = String::with_capacity(piece.len() + 16);
    while words.len() < piece.len() {
        words += WORDS
            .get(chance.usize(..WORDS.len()))
            .copied()
            .unwrap_or_default();
        words += if chance.u8(..9) == 0 { "\n" } else { " " };
        if chance.u8(..5) == 0 {
            words += &chance.u32(..).to_string();
        }
    }
    for (to, from) in piece.iter_mut().zip(words.bytes()) {
        *to = from;
    }
}

fn change(path: &Path, seed: u64) -> anyhow::Result<()> {
    let mut chance = fastrand::Rng::with_seed(seed);
    let file = File::options().write(true).open(path)?;
    let blocks = file.metadata()?.len() / BLOCK as u64;
    let mut block = vec![0; BLOCK];
    for _ in 0..blocks / 20 {
        chance.fill(&mut block);
        file.write_all_at(&block, chance.u64(..blocks) * BLOCK as u64)?;
    }
    Ok(())
}

/// What all processors together can do at most, in seconds for the volume.
fn limits(scratch: &Path, size_mib: usize) -> anyhow::Result<Vec<Row>> {
    use md5::Digest;
    const SHARE_MIB: usize = 64;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let volume = std::fs::read(scratch.join("volume"))?;
    let share = volume
        .get(..SHARE_MIB * MIB)
        .context("a volume of at least 64 MiB")?;
    let all = |work: &(dyn Fn(&[u8]) + Sync)| {
        let begin = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..processors {
                scope.spawn(|| work(share));
            }
        });
        begin.elapsed().as_secs_f64() * size_mib as f64 / (SHARE_MIB * processors) as f64
    };
    let row = |what, algorithm, seconds| Row {
        who: "limit",
        what,
        algorithm,
        seconds,
        peak_mib: None,
    };
    let write = {
        let path = scratch.join("written");
        let begin = Instant::now();
        std::fs::write(&path, &volume)?;
        File::open(&path)?.sync_all()?;
        let took = begin.elapsed().as_secs_f64();
        std::fs::remove_file(path)?;
        took
    };
    Ok(vec![
        row(
            "SHA-256",
            "-",
            all(&|data| _ = std::hint::black_box(sha2::Sha256::digest(data))),
        ),
        row(
            "MD5",
            "-",
            all(&|data| _ = std::hint::black_box(md5::Md5::digest(data))),
        ),
        row(
            "SHA-256 and MD5",
            "-",
            all(&|data| {
                std::hint::black_box((sha2::Sha256::digest(data), md5::Md5::digest(data)));
            }),
        ),
        row(
            "compress",
            "zlib",
            all(&|data| {
                let mut encoder =
                    flate2::write::ZlibEncoder::new(std::io::sink(), flate2::Compression::new(6));
                let _ = std::io::Write::write_all(&mut encoder, data);
                let _ = encoder.finish();
            }),
        ),
        row(
            "compress",
            "zstd",
            all(&|data| drop(zstd::bulk::compress(data, 3))),
        ),
        row("write and sync", "-", write),
    ])
}

fn ours(
    scratch: &Path,
    volume: &Path,
    changed: &Path,
    algorithm: &'static str,
) -> anyhow::Result<(Vec<Row>, Vec<Profile>)> {
    let storage = scratch.join("ours");
    std::fs::create_dir_all(&storage)?;
    let mut service = Service::configure(
        &format!("backup_compression_algorithm = \"{algorithm}\""),
        &format!(
            "[backends.posix]\nbackup_driver = \"posix\"\nbackup_posix_path = \"{0}\"\nbackup_file_size = {OBJECT}\n\
             grants.directories = [{{ path = \"{0}\", access = \"read-write\" }}]\n\
             [backends.default]\nbackup_driver = \"posix\"\nbackup_posix_path = \"{0}\"\n\
             grants.directories = [{{ path = \"{0}\", access = \"read-write\" }}]\n",
            storage.display()
        ),
    );
    service.start();
    service.wait_for_all(Duration::from_secs(20), |status| status["state"] == "up");
    let (mut rows, mut profiles) = (Vec::new(), Vec::new());
    let mut run = |service: &Service, what, path: &str, body: Value| -> anyhow::Result<String> {
        forget_peak(service.pid())?;
        let profiling = Profiling::start(service.pid());
        let (operation, _) = service.operate(path, &body);
        let profile = profiling.end(what, algorithm);
        rows.push(Row {
            who: "cofferdam",
            what,
            algorithm,
            seconds: profile.wall,
            peak_mib: Some(peak(service.pid())?),
        });
        if PROFILED.contains(&what) {
            profiles.push(profile);
        }
        Ok(operation)
    };
    // The same path for both states, so that the second is of the same volume.
    let working = scratch.join("working");
    std::fs::copy(volume, &working)?;
    let create =
        |incremental: bool| json!({ "volume": working, "incremental": incremental, "backend": "posix" });
    let target = scratch.join("restored");
    let whole = json!({ "volume": working, "backend": "default" });
    let default = run(&service, "full, default objects", "/v1/backups", whole)?;
    service.json(&["backup", "delete", &default]);
    let full = run(&service, "full", "/v1/backups", create(false))?;
    run(&service, "incremental, no change", "/v1/backups", create(true))?;
    run(
        &service,
        "verify full",
        &format!("/v1/backups/{full}/verify"),
        Value::Null,
    )?;
    let restore = json!({ "target": target });
    run(
        &service,
        "restore full",
        &format!("/v1/backups/{full}/restore"),
        restore.clone(),
    )?;
    same(&target, volume)?;
    std::fs::copy(changed, &working)?;
    let second = run(&service, "incremental, 5 %", "/v1/backups", create(true))?;
    run(
        &service,
        "restore full + incremental",
        &format!("/v1/backups/{second}/restore"),
        restore.clone(),
    )?;
    same(&target, changed)?;
    let mut last = second;
    // The full one, the one without a change and the changed one are there.
    for seed in 3..CHAIN {
        change(&working, seed)?;
        last = service.operate("/v1/backups", &create(true)).0;
    }
    run(
        &service,
        "restore chain of 10",
        &format!("/v1/backups/{last}/restore"),
        restore,
    )?;
    same(&target, &working)?;
    service.stop();
    std::fs::remove_dir_all(storage)?;
    std::fs::remove_file(working)?;
    Ok((rows, profiles))
}

fn same(target: &Path, volume: &Path) -> anyhow::Result<()> {
    let equal = Command::new("cmp").arg(target).arg(volume).status()?.success();
    anyhow::ensure!(equal, "what was restored is not what was backed up");
    std::fs::remove_file(target)?;
    Ok(())
}

/// Begins anew to look for the most memory that a process has.
fn forget_peak(pid: u32) -> anyhow::Result<()> {
    Ok(std::fs::write(format!("/proc/{pid}/clear_refs"), "5")?)
}

/// The most memory that a process has had, in MiB.
fn peak(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    Ok(kib.unwrap_or_default() / 1024.0)
}

/// Cinder's own driver, when `./dev interop` has installed it.
fn cinder(
    scratch: &Path,
    volume: &Path,
    changed: &Path,
    algorithm: &'static str,
) -> anyhow::Result<Vec<Row>> {
    let cache = std::env::var("COFFERDAM_CACHE").map_or_else(|_| PathBuf::new(), PathBuf::from);
    let home = cache.join("interop");
    let script = Path::new("tests/interop/cinder_driver.py");
    if !home.join("cinder.sqlite").is_file() || !script.is_file() {
        eprintln!("SKIPPED: Cinder is not installed; `./dev interop` installs it");
        return Ok(Vec::new());
    }
    let storage = scratch.join("cinder");
    std::fs::create_dir_all(&storage)?;
    let run = |arguments: &[&OsStr]| -> anyhow::Result<Value> {
        let output = Command::new(home.join("venv/bin/python"))
            .arg(script)
            .arg(home.join("cinder.conf"))
            .args(arguments)
            .output()?;
        anyhow::ensure!(
            output.status.success(),
            "Cinder failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(serde_json::from_slice(&output.stdout)?)
    };
    let mut rows = Vec::new();
    let mut keep = |what, answer: &Value| {
        rows.push(Row {
            who: "cinder",
            what,
            algorithm,
            seconds: answer["seconds"].as_f64().unwrap_or_default(),
            peak_mib: answer["peak_mib"].as_f64(),
        });
    };
    let create = |volume: &Path, parent: Option<&str>, object: usize| {
        let size = object.to_string();
        let mut arguments = vec![OsStr::new("backup"), storage.as_os_str(), volume.as_os_str()];
        arguments.extend([OsStr::new(algorithm), OsStr::new(&size)]);
        arguments.extend(parent.map(OsStr::new));
        run(&arguments)
    };
    let target = scratch.join("restored");
    let restore = |id: &str| {
        File::create(&target)?.set_len(std::fs::metadata(volume)?.len())?;
        run(&[
            "restore".as_ref(),
            storage.as_os_str(),
            id.as_ref(),
            target.as_os_str(),
        ])
    };
    let id = |answer: &Value| answer["id"].as_str().unwrap_or_default().to_owned();
    keep("full, default objects", &create(volume, None, DEFAULT_OBJECT)?);
    let full = create(volume, None, OBJECT)?;
    keep("full", &full);
    keep(
        "incremental, no change",
        &create(volume, Some(&id(&full)), OBJECT)?,
    );
    keep("restore full", &restore(&id(&full))?);
    same(&target, volume)?;
    let second = create(changed, Some(&id(&full)), OBJECT)?;
    keep("incremental, 5 %", &second);
    keep("restore full + incremental", &restore(&id(&second))?);
    same(&target, changed)?;
    let working = scratch.join("working");
    std::fs::copy(changed, &working)?;
    let mut last = id(&second);
    for seed in 2..CHAIN {
        change(&working, seed)?;
        last = id(&create(&working, Some(&last), OBJECT)?);
    }
    keep("restore chain of 10", &restore(&last)?);
    same(&target, &working)?;
    std::fs::remove_file(working)?;
    std::fs::remove_dir_all(storage)?;
    Ok(rows)
}

fn timed(who: &'static str, what: &'static str, command: &mut Command) -> anyhow::Result<Row> {
    let begin = Instant::now();
    let output = command.output()?;
    anyhow::ensure!(
        output.status.success(),
        "{who} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(Row {
        who,
        what,
        algorithm: "zstd",
        seconds: begin.elapsed().as_secs_f64(),
        peak_mib: None,
    })
}

fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        eprintln!("SKIPPED: {program} is not installed");
    }
    found
}

fn restic(scratch: &Path, volume: &Path) -> anyhow::Result<Vec<Row>> {
    if !has("restic") {
        return Ok(Vec::new());
    }
    let repository = scratch.join("restic");
    let restic = || {
        let mut command = Command::new("restic");
        command
            .env("RESTIC_PASSWORD", "bench")
            .env("RESTIC_REPOSITORY", &repository)
            .arg("--no-cache");
        command
    };
    timed(
        "restic",
        "init",
        restic().args(["init", "--repository-version", "2"]),
    )?;
    let target = scratch.join("restic-restored");
    let rows = vec![
        timed("restic", "full", restic().arg("backup").arg(volume))?,
        timed(
            "restic",
            "restore full",
            restic().args(["restore", "latest", "--target"]).arg(&target),
        )?,
    ];
    std::fs::remove_dir_all(target)?;
    std::fs::remove_dir_all(repository)?;
    Ok(rows)
}

fn borg(scratch: &Path, volume: &Path) -> anyhow::Result<Vec<Row>> {
    if !has("borg") {
        return Ok(Vec::new());
    }
    let repository = scratch.join("borg");
    let borg = || {
        let mut command = Command::new("borg");
        command
            .env("BORG_BASE_DIR", scratch)
            .env("BORG_REPO", &repository)
            .current_dir(scratch);
        command
    };
    timed("borg", "init", borg().args(["init", "--encryption", "none"]))?;
    let target = scratch.join("borg-restored");
    std::fs::create_dir(&target)?;
    let rows = vec![
        timed(
            "borg",
            "full",
            borg()
                .args(["create", "--compression", "zstd,3", "::one"])
                .arg(volume),
        )?,
        timed(
            "borg",
            "restore full",
            borg().args(["extract", "::one"]).current_dir(&target),
        )?,
    ];
    std::fs::remove_dir_all(target)?;
    std::fs::remove_dir_all(repository)?;
    Ok(rows)
}
