//! Whole backups through a service beside Cinder's own drivers of the same name, on the same real Swift.
//!
//! The volume is noise and is not compressed, so that the network is what is measured. Cinder is the one that `./dev interop`
//! installs; its times are taken inside its process, without its start, and ours by a client of the service.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use cofferdam_tests::servers::Swift;
use cofferdam_tests::service::Service;
use serde_json::{Value, json};

const DRIVERS: [&str; 2] = ["s3", "swift"];
const VOLUME_MIB: usize = 512;
/// Bytes of an object, for both.
const OBJECT: usize = 32 << 20;
const RUNS: usize = 3;

/// A backup or a restore of the whole volume.
pub(crate) struct Compared {
    pub(crate) driver: &'static str,
    pub(crate) what: &'static str,
    pub(crate) ours: f64,
    /// MiB a second; `None` where Cinder is not installed.
    pub(crate) cinder: Option<f64>,
}

/// Both drivers, and Cinder's where it is installed.
pub(crate) fn compare(scratch: &Path, swift: &Swift) -> anyhow::Result<Vec<Compared>> {
    let volume = scratch.join("noise");
    let mut bytes = vec![0; VOLUME_MIB << 20];
    fastrand::Rng::with_seed(20_260_102).fill(&mut bytes);
    std::fs::write(&volume, &bytes)?;
    drop(bytes);
    let cinder = Cinder::find(scratch, swift)?;
    let mut all = Vec::new();
    for driver in DRIVERS {
        let ours = ours(scratch, swift, driver, &volume)?;
        let theirs = match &cinder {
            Some(cinder) => cinder.measure(scratch, driver, &volume)?.map(Some),
            None => [None, None],
        };
        for ((what, ours), cinder) in ["backup", "restore"].into_iter().zip(ours).zip(theirs) {
            all.push(Compared {
                driver,
                what,
                ours: rate(ours),
                cinder: cinder.map(rate),
            });
        }
    }
    Ok(all)
}

fn rate(seconds: f64) -> f64 {
    VOLUME_MIB as f64 / seconds.max(1e-9)
}

/// Seconds of backup and restore, the best of some runs.
fn ours(scratch: &Path, swift: &Swift, driver: &str, volume: &Path) -> anyhow::Result<[f64; 2]> {
    let key = format!("{:?}", swift.value("key"));
    let sections = swift
        .sections([&key, &key], ["", ""])
        .replace("\"2MiB\"", &OBJECT.to_string());
    let mut service = Service::configure("backup_compression_algorithm = \"none\"", &sections);
    service.start();
    service.wait(driver, Duration::from_secs(30), |status| status["state"] == "up");
    let target = scratch.join("restored");
    let mut best = [f64::MAX; 2];
    let [backup, restore] = &mut best;
    for _ in 0..RUNS {
        let begin = Instant::now();
        let (id, _) = service.operate("/v1/backups", &json!({ "volume": volume, "backend": driver }));
        *backup = backup.min(begin.elapsed().as_secs_f64());
        let begin = Instant::now();
        service.operate(&format!("/v1/backups/{id}/restore"), &json!({ "target": target }));
        *restore = restore.min(begin.elapsed().as_secs_f64());
        same(&target, volume)?;
        service.json(&["backup", "delete", &id]);
    }
    service.stop();
    Ok(best)
}

fn same(target: &Path, volume: &Path) -> anyhow::Result<()> {
    let equal = Command::new("cmp").arg(target).arg(volume).status()?.success();
    anyhow::ensure!(equal, "what was restored is not what was backed up");
    Ok(std::fs::remove_file(target)?)
}

struct Cinder {
    python: PathBuf,
    configuration: PathBuf,
}

impl Cinder {
    fn find(scratch: &Path, swift: &Swift) -> anyhow::Result<Option<Self>> {
        let cache = std::env::var("COFFERDAM_CACHE").map_or_else(|_| PathBuf::new(), PathBuf::from);
        let home = cache.join("interop");
        if !home.join("cinder.sqlite").is_file() {
            eprintln!("SKIPPED: Cinder is not installed; `./dev interop` installs it");
            return Ok(None);
        }
        let (url, auth, user, key) = (
            swift.value("swift_url"),
            swift.value("auth_url"),
            swift.value("user"),
            swift.value("key"),
        );
        let options = format!(
            "[DEFAULT]\nbackup_swift_auth = single_user\nbackup_swift_auth_url = {auth}\nbackup_swift_user = {user}\n\
             backup_swift_key = {key}\nbackup_s3_endpoint_url = {url}\nbackup_s3_store_access_key = {user}\n\
             backup_s3_store_secret_key = {key}\n"
        );
        let configuration = scratch.join("cinder.conf");
        let base = std::fs::read_to_string(home.join("cinder.conf"))?;
        std::fs::write(&configuration, format!("{base}\n{options}"))?;
        Ok(Some(Cinder {
            python: home.join("venv/bin/python"),
            configuration,
        }))
    }

    fn measure(&self, scratch: &Path, driver: &str, volume: &Path) -> anyhow::Result<[f64; 2]> {
        let (store, target) = (format!("{driver}:cinder-{driver}"), scratch.join("restored"));
        let (volume_text, target_text) = (volume.to_string_lossy(), target.to_string_lossy());
        let mut best = [f64::MAX; 2];
        let [backup, restore] = &mut best;
        for _ in 0..RUNS {
            let made = self.run(&["backup", &store, &volume_text, "none", &OBJECT.to_string()])?;
            *backup = backup.min(seconds(&made)?);
            File::create(&target)?.set_len((VOLUME_MIB << 20) as u64)?;
            let id = made.get("id").and_then(Value::as_str).context("an id")?;
            *restore = restore.min(seconds(&self.run(&["restore", &store, id, &target_text])?)?);
            same(&target, volume)?;
        }
        Ok(best)
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let output = Command::new(&self.python)
            .arg("tests/interop/cinder_driver.py")
            .arg(&self.configuration)
            .args(arguments)
            .output()?;
        anyhow::ensure!(
            output.status.success(),
            "Cinder failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

fn seconds(answer: &Value) -> anyhow::Result<f64> {
    answer.get("seconds").and_then(Value::as_f64).context("seconds")
}
