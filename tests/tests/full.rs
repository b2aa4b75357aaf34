//! A file system that is full at every page of a backup and of a restore: each is whole or a clear error, and nothing half-made
//! stays.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use cofferdam_tests::service::Service;
use serde_json::Value;

const PAGE: u64 = 4096;
const PAGES: u64 = 256;

/// A tmpfs of 1 MiB, of which as much is free as one likes.
struct Small(tempfile::TempDir);

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

impl Small {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={}", PAGES * PAGE);
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder.path())
            .output()
            .unwrap();
        if mounted.status.success() {
            return Some(Small(folder));
        }
        println!(
            "\n=== SKIPPED: this user cannot mount a tmpfs: {} ===\n",
            String::from_utf8_lossy(&mounted.stderr)
        );
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes away all but so many pages.
    fn leave(&self, pages: u64) {
        let ballast = self.path().join("ballast");
        let _ = std::fs::remove_file(&ballast);
        let free = || {
            let found = rustix::fs::statvfs(self.path()).unwrap();
            found.f_bavail * found.f_frsize / PAGE
        };
        let taken = free().saturating_sub(pages) * PAGE;
        let file = File::create(&ballast).unwrap();
        if taken > 0 {
            rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, taken).unwrap();
        }
        assert_eq!(free(), pages);
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.retain(|path| path.file_name().is_none_or(|name| name != "ballast"));
    found
}

#[test]
fn a_file_system_that_is_full_at_any_page_costs_no_more_than_the_operation() {
    let Some(small) = Small::mount() else { return };
    let path = small.path().to_str().unwrap();
    let mut service = Service::configure(
        "",
        &format!(
            "[backends.good]\nbackup_driver = \"posix\"\nbackup_posix_path = \"{path}\"\nbackup_file_size = \"64KiB\"\n\
             backup_compression_algorithm = \"none\"\n\
             grants.directories = [{{ path = \"{path}\", access = \"read-write\" }}]\n"
        ),
    );
    let volume = service.path("volume");
    let mut content = vec![0; 200_000];
    fastrand::Rng::with_seed(4).fill(&mut content);
    std::fs::write(&volume, &content).unwrap();
    service.start();
    service.wait("good", Duration::from_secs(10), |status| status["state"] == "up");
    let volume = volume.to_str().unwrap();

    let (mut whole, mut refused) = (0, 0);
    for pages in 0..64 {
        small.leave(pages);
        let output = service.run(&["backup", "create", volume]);
        let list: Value = service.get("/v1/backups");
        let (record, id) = (&list[0], list[0]["id"].as_str().unwrap());
        if output.status.success() {
            whole += 1;
            service.json(&["backup", "verify", id]);
        } else {
            refused += 1;
            assert_eq!(record["status"], "error", "{pages} pages: {record:#}");
            assert_eq!(
                record["fail_code"], "driver.out-of-space",
                "{pages} pages: {record:#}"
            );
            assert_eq!(files(small.path()), Vec::<PathBuf>::new(), "{pages} pages");
        }
        service.json(&["backup", "delete", id]);
        assert_eq!(files(small.path()), Vec::<PathBuf>::new(), "{pages} pages");
    }
    println!("backup: full after 0 to 63 pages: {whole} whole, {refused} refused, 0 half-made");
    assert!(whole > 5 && refused > 45, "{whole}, {refused}");

    // The same for restores: the backup elsewhere, the target here.
    small.leave(PAGES - 8);
    let made = service.json(&["backup", "create", volume]);
    let id = made["backup_id"].as_str().unwrap();
    let target = small.path().join("target");
    let (mut whole, mut refused) = (0, 0);
    for pages in 0..56 {
        small.leave(pages);
        let output = service.run(&["backup", "restore", id, target.to_str().unwrap()]);
        if output.status.success() {
            whole += 1;
            assert!(std::fs::read(&target).unwrap() == content);
            std::fs::remove_file(&target).unwrap();
        } else {
            refused += 1;
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(text.contains("no space is left"), "{pages} pages: {text}");
            let left: Vec<_> = std::fs::read_dir(small.path()).unwrap().flatten().collect();
            assert!(
                left.iter()
                    .all(|entry| !entry.file_name().to_string_lossy().contains("target")),
                "{pages} pages: {left:?}"
            );
        }
    }
    println!("restore: full after 0 to 55 pages: {whole} whole, {refused} refused, 0 half-made");
    assert!(whole > 3 && refused > 40, "{whole}, {refused}");
    service.stop();
}
