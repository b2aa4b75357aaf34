//! Backups that a kill or a stop of the service cut off: they go on by themselves at the next start.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cofferdam_tests::service::Service;
use serde_json::Value;

const SIZE: usize = 96 << 20;

fn noise(seed: u64) -> Vec<u8> {
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut bytes = vec![0; SIZE];
    chance.fill(&mut bytes);
    bytes
}

/// Data objects on the storage, and what tells whether each was written again: its inode and time.
fn objects(folder: &Path) -> BTreeMap<PathBuf, (u64, i64, i64)> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(objects(&path));
        } else if let Ok(metadata) = entry.metadata()
            && entry.file_name().to_string_lossy().starts_with("volume_")
            && entry.file_name().to_string_lossy().contains("-00")
            // Their names have no number, but an id in them may look like one.
            && !entry.file_name().to_string_lossy().ends_with("_metadata")
            && !entry.file_name().to_string_lossy().ends_with("_sha256file")
        {
            let written = (metadata.ino(), metadata.mtime(), metadata.mtime_nsec());
            found.insert(path, written);
        }
    }
    found
}

fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_backup_that_was_cut_off_goes_on_at_the_next_start() {
    // Else a stop would wait for the backup.
    let mut service = Service::posix_with(
        "graceful_shutdown_timeout = 0",
        "backup_file_size = \"1MiB\"\nbackup_compression_algorithm = \"zlib\"\n",
    );
    let volume = service.path("volume");
    for (round, (killed, changed)) in [(true, false), (false, false), (true, true)]
        .into_iter()
        .enumerate()
    {
        let mut content = noise(round as u64);
        std::fs::write(&volume, &content).unwrap();
        service.start();
        service.wait("good", Duration::from_secs(10), |status| status["state"] == "up");
        let begun = service.json(&["backup", "create", volume.to_str().unwrap(), "--no-wait"]);
        let id = begun["backup_id"].as_str().unwrap().to_owned();
        wait_for("objects come", || objects(&service.backups()).len() >= 10);
        match killed {
            true => service.kill(),
            false => service.stop(),
        }
        let before = objects(&service.backups());
        assert!(before.len() < 96, "it was cut off too late");
        if changed {
            content = noise(99);
            std::fs::write(&volume, &content).unwrap();
        }
        service.start();
        let backup = |service: &Service| service.get(&format!("/v1/backups/{id}"));
        wait_for("the backup is made", || backup(&service)["status"] != "creating");
        let made: Value = backup(&service);
        assert_eq!(made["status"], "available", "{made:#}");
        let after = objects(&service.backups());
        let kept = before
            .iter()
            .filter(|(path, inode)| after.get(*path) == Some(inode));
        let (kept, all) = (kept.count(), before.len());
        println!(
            "killed: {killed}, changed: {changed}: {kept} of {all} objects kept, {} in the end",
            after.len()
        );
        assert_eq!(after.len(), 96);
        match changed {
            true => assert_eq!(kept, 0, "nothing of another state of the volume stays"),
            // A put that was under way may have become durable without anybody's knowing.
            false => assert!(kept + 6 >= all, "{kept} of {all}"),
        }
        let target = service.path("target");
        service.json(&["backup", "restore", &id, target.to_str().unwrap()]);
        assert!(std::fs::read(&target).unwrap() == content, "bit for bit");
        std::fs::remove_file(&target).unwrap();
        service.json(&["backup", "delete", &id]);
        assert_eq!(objects(&service.backups()).len(), 0);
        let journals = std::fs::read_dir(service.path("state/journals")).unwrap();
        assert_eq!(journals.count(), 0, "journals go with the backup");
        service.stop();
    }
}

#[test]
fn without_its_backend_an_interrupted_backup_fails_with_the_reason() {
    let mut service =
        Service::posix("backup_file_size = \"1MiB\"\nbackup_compression_algorithm = \"zlib\"\n");
    let volume = service.path("volume");
    std::fs::write(&volume, noise(5)).unwrap();
    service.start();
    service.wait("good", Duration::from_secs(10), |status| status["state"] == "up");
    let begun = service.json(&["backup", "create", volume.to_str().unwrap(), "--no-wait"]);
    let id = begun["backup_id"].as_str().unwrap().to_owned();
    wait_for("objects come", || objects(&service.backups()).len() >= 3);
    service.kill();
    std::fs::rename(service.backups(), service.path("elsewhere")).unwrap();
    service.start();
    let backup = |service: &Service| service.get(&format!("/v1/backups/{id}"));
    wait_for("it is given up", || backup(&service)["status"] != "creating");
    let failed = backup(&service);
    assert_eq!(failed["status"], "error", "{failed:#}");
    assert_eq!(failed["fail_code"], "backend-down", "{failed:#}");
    std::fs::rename(service.path("elsewhere"), service.backups()).unwrap();
    service.wait("good", Duration::from_secs(20), |status| status["state"] == "up");
    service.json(&["backup", "delete", &id]);
    assert_eq!(objects(&service.backups()).len(), 0);
    service.stop();
}
