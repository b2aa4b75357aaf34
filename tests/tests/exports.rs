//! Volumes behind an NBD server, as sources and targets: what `qemu-nbd` serves of raw and qcow2 images.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests"
)]

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cofferdam_tests::service::Service;

const SIZE: usize = 48 << 20;

/// qemu-nbd on one image; ends with it.
struct Export {
    server: Child,
    socket: PathBuf,
}

impl Drop for Export {
    fn drop(&mut self) {
        // qemu writes what it holds when it is told to end.
        let _ = Command::new("kill").arg(self.server.id().to_string()).status();
        let _ = self.server.wait();
    }
}

impl Export {
    fn new(service: &Service, image: &Path, format: &str) -> Self {
        let socket = service.path(&format!("{format}.sock"));
        let _ = std::fs::remove_file(&socket);
        let server = Command::new("qemu-nbd")
            .args([
                "--persistent",
                "--shared=8",
                "--discard=unmap",
                "-x",
                "disk",
                "-f",
                format,
                "-k",
            ])
            .args([&socket, image])
            .spawn()
            .unwrap();
        let begin = Instant::now();
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            assert!(
                begin.elapsed() < Duration::from_secs(20),
                "qemu-nbd does not listen"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        Export { server, socket }
    }

    fn url(&self) -> String {
        format!("nbd+unix:///disk?socket={}", self.socket.display())
    }
}

fn tools() -> bool {
    let there = |tool| {
        let run = Command::new(tool).arg("--version").stdout(Stdio::null()).status();
        run.is_ok_and(|status| status.success())
    };
    let all = ["qemu-nbd", "qemu-img"].into_iter().all(there);
    if !all {
        eprintln!("\n=== SKIPPED: volumes over NBD need qemu-nbd and qemu-img (Debian: qemu-utils) ===\n");
    }
    all
}

fn image(arguments: &[&str], files: &[&Path]) {
    let status = Command::new("qemu-img")
        .args(arguments)
        .args(files)
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success(), "qemu-img {arguments:?}");
}

#[test]
fn a_qcow2_is_backed_up_and_restored_through_its_server() {
    if !tools() {
        return;
    }
    let mut service =
        Service::posix("backup_file_size = \"4MiB\"\nbackup_compression_algorithm = \"zstd\"\n");
    let (raw, qcow2) = (service.path("disk.raw"), service.path("disk.qcow2"));
    let mut content = vec![0; SIZE];
    let mut chance = fastrand::Rng::with_seed(7);
    chance.fill(&mut content[1 << 20..3 << 20]);
    chance.fill(&mut content[40 << 20..40 << 20 | 77_777]);
    std::fs::write(&raw, &content).unwrap();
    image(&["convert", "-f", "raw", "-O", "qcow2"], &[&raw, &qcow2]);
    service.start();
    service.wait("good", Duration::from_secs(10), |status| status["state"] == "up");

    let export = Export::new(&service, &qcow2, "qcow2");
    let made = service.json(&["backup", "create", &export.url()]);
    let full = made["backup_id"].as_str().unwrap().to_owned();
    let summary = made["summary"].as_str().unwrap();
    assert!(
        summary.contains("45.0 MiB of holes"),
        "holes are not read: {summary}"
    );
    drop(export);

    // It changes, and only that is stored.
    let change = service.path("change.raw");
    chance.fill(&mut content[20 << 20..(20 << 20) + 100_000]);
    content[2 << 20..3 << 20].fill(0);
    std::fs::write(&change, &content).unwrap();
    image(&["convert", "-f", "raw", "-O", "qcow2"], &[&change, &qcow2]);
    let export = Export::new(&service, &qcow2, "qcow2");
    let made = service.json(&["backup", "create", &export.url(), "--incremental"]);
    let second = made["backup_id"].as_str().unwrap().to_owned();
    let record = service.json(&["backup", "show", &second]);
    assert_eq!(record["parent_id"], full.as_str(), "{record:#}");
    assert!(record["stored_bytes"].as_u64().unwrap() < 300_000, "{record:#}");
    drop(export);

    // Onto a raw file, and into a new qcow2 that held other bytes.
    let restored = service.path("restored.raw");
    service.json(&["backup", "restore", &second, restored.to_str().unwrap()]);
    assert!(std::fs::read(&restored).unwrap() == content);
    let target = service.path("target.qcow2");
    image(&["create", "-q", "-f", "qcow2"], &[&target, Path::new("64M")]);
    let export = Export::new(&service, &target, "qcow2");
    let (exit, error) = service.refused(&["backup", "restore", &second, &export.url()]);
    assert_eq!((exit, &error["code"]), (1, &"target-exists".into()), "{error:#}");
    service.json(&["backup", "restore", &second, &export.url(), "--overwrite"]);
    drop(export);
    let back = service.path("back.raw");
    image(&["convert", "-f", "qcow2", "-O", "raw"], &[&target, &back]);
    let back = std::fs::read(&back).unwrap();
    assert!(back[..SIZE] == content && back[SIZE..].iter().all(|byte| *byte == 0));
    service.stop();
}

#[test]
fn an_export_that_is_too_small_or_goes_away_is_a_clear_error() {
    if !tools() {
        return;
    }
    let mut service = Service::posix("backup_file_size = \"1MiB\"\n");
    let raw = service.path("disk.raw");
    let file = File::create(&raw).unwrap();
    file.set_len(SIZE as u64).unwrap();
    let mut noise = vec![0; SIZE];
    fastrand::Rng::with_seed(3).fill(&mut noise);
    file.write_all_at(&noise, 0).unwrap();
    service.start();
    service.wait("good", Duration::from_secs(10), |status| status["state"] == "up");
    let mut export = Export::new(&service, &raw, "raw");
    let made = service.json(&["backup", "create", &export.url()]);
    let id = made["backup_id"].as_str().unwrap().to_owned();

    // Killed in the middle: the backup fails, and nothing of it is left.
    let begun = service.json(&["backup", "create", &export.url(), "--no-wait"]);
    export.server.kill().unwrap();
    let begin = Instant::now();
    let failed = loop {
        let shown = service.get(&format!("/v1/backups/{}", begun["backup_id"].as_str().unwrap()));
        if shown["status"] != "creating" {
            break shown;
        }
        assert!(begin.elapsed() < Duration::from_secs(40), "it hangs");
        std::thread::sleep(Duration::from_millis(10));
    };
    // It may have been faster than the kill.
    if failed["status"] != "available" {
        assert_eq!(failed["fail_code"], "source-read", "{failed:#}");
    }
    drop(export);
    let (_, error) = service.refused(&["backup", "create", "nbd://127.0.0.1:1/nothing"]);
    assert_eq!(error["code"], "source-unusable", "{error:#}");
    let (_, error) = service.refused(&["backup", "create", "nbds://127.0.0.1/disk"]);
    assert_eq!(error["code"], "source-unusable", "{error:#}");

    let small = service.path("small.raw");
    File::create(&small).unwrap().set_len(1 << 20).unwrap();
    let export = Export::new(&service, &small, "raw");
    let (_, error) = service.refused(&["backup", "restore", &id, &export.url(), "--overwrite"]);
    assert_eq!(error["code"], "target-too-small", "{error:#}");
    drop(export);
    service.stop();
}
