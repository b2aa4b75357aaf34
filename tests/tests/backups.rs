//! Backup, restore, verify and delete through the built binary, with and without a service, and what bad input gets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cofferdam_tests::service::Service;

const MIB: u64 = 1 << 20;

/// A volume of noise, text, zeros and holes.
fn volume(service: &Service, name: &str, size: u64) -> PathBuf {
    let path = service.path(name);
    let mut file = File::create(&path).unwrap();
    file.set_len(size).unwrap();
    let mut state = size ^ 0x9e37_79b9_7f4a_7c15;
    let mut noise = vec![0_u8; 64 << 10];
    for at in (0..size).step_by(1 << 18) {
        for byte in &mut noise {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state as u8;
        }
        if at / (1 << 18) % 3 == 1 {
            noise.fill(b'a');
        }
        let length = noise.len().min((size - at) as usize);
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(&noise[..length]).unwrap();
    }
    path
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn create(service: &Service, volume: &Path) -> String {
    let made = service.json(&["backup", "create", text(volume), "--name", "n"]);
    assert_eq!(made["state"], "succeeded", "{made:#}");
    made["backup_id"].as_str().unwrap().to_owned()
}

fn objects(service: &Service) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // A check that was killed leaves its canary; the driver removes those that are an hour old.
            if path.to_string_lossy().contains("/.cofferdam-canary-") {
                continue;
            }
            if path.is_dir() {
                walk(&path, found)
            } else {
                found.push(path)
            }
        }
    }
    let mut found = Vec::new();
    walk(&service.backups(), &mut found);
    found.sort();
    found
}

fn same(a: &Path, b: &Path) {
    assert!(
        std::fs::read(a).unwrap() == std::fs::read(b).unwrap(),
        "{} and {} differ",
        a.display(),
        b.display()
    );
}

#[test]
fn every_algorithm_round_trips_embedded_and_through_a_service() {
    for algorithm in ["none", "zlib", "zstd", "bz2"] {
        let mut service = Service::posix(&format!(
            "backup_file_size = \"2MiB\"\nbackup_compression_algorithm = \"{algorithm}\"\n"
        ));
        let volume = volume(&service, "volume", 5 * MIB + 12345);
        let embedded = create(&service, &volume);
        service.start();
        service.wait("good", Duration::from_secs(10), |status| status["state"] == "up");
        let served = create(&service, &volume);
        assert_eq!(
            service.json(&["backup", "verify", &embedded])["state"],
            "succeeded"
        );
        for (id, name) in [(&embedded, "a"), (&served, "b")] {
            let target = service.path(name);
            let done = service.json(&["backup", "restore", id, text(&target)]);
            assert_eq!(done["state"], "succeeded", "{algorithm}: {done:#}");
            same(&volume, &target);
            let blocks = std::fs::metadata(&target).unwrap().blocks() * 512;
            assert!(
                blocks < 3 * MIB,
                "{algorithm}: zeros must stay holes, {blocks} bytes are allocated"
            );
        }
        let shown = service.json(&["backup", "show", &served]);
        assert_eq!(shown["object_count"], 3, "{shown:#}");
        assert_eq!(shown["size"], 1);
        for id in [&embedded, &served] {
            service.json(&["backup", "delete", id]);
        }
        assert_eq!(objects(&service), Vec::<PathBuf>::new());
        assert_eq!(service.json(&["backup", "list"]), serde_json::json!([]));
        service.stop();
    }
}

#[test]
fn the_objects_are_named_and_laid_out_as_cinder_does() {
    let service = Service::posix("backup_file_size = \"1MiB\"\n");
    let id = create(&service, &volume(&service, "volume", 3 * MIB));
    let folder = service.backups().join(&id[0..2]).join(&id[2..4]).join(&id);
    let names: Vec<_> = objects(&service)
        .iter()
        .map(|path| {
            assert_eq!(path.parent().unwrap(), folder);
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let (prefix, rest) = name.split_at(name.find(&id).unwrap() + id.len());
            assert!(prefix.starts_with("volume_"), "{name}");
            rest.to_owned()
        })
        .collect();
    assert_eq!(names, ["-00001", "-00002", "-00003", "_metadata", "_sha256file"]);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o770);
    assert_eq!(mode(&objects(&service)[0]), 0o660);
}

#[test]
fn a_damaged_backup_is_never_restored_and_each_damage_has_its_code() {
    let service = Service::posix("backup_file_size = \"1MiB\"\n");
    let id = create(&service, &volume(&service, "volume", 3 * MIB));
    let all = objects(&service);
    let (first, second) = (&all[0], &all[1]);
    let whole = std::fs::read(first).unwrap();
    let damage = |what: &str| match what {
        "altered" => {
            let file = File::options().write(true).open(first).unwrap();
            file.write_at(&[whole[whole.len() / 2] ^ 1], (whole.len() / 2) as u64)
                .unwrap();
        }
        "truncated" => File::options()
            .write(true)
            .open(first)
            .unwrap()
            .set_len(whole.len() as u64 - 10)
            .unwrap(),
        "removed" => std::fs::remove_file(first).unwrap(),
        _ => std::fs::copy(
            second,
            second.with_file_name(
                second
                    .file_name()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .replace("-00002", "-00009"),
            ),
        )
        .map(drop)
        .unwrap(),
    };
    for (what, codes) in [
        ("altered", &["object-altered", "object-truncated"][..]),
        ("truncated", &["object-truncated", "object-altered"]),
        ("removed", &["object-missing"]),
        ("added", &["object-added"]),
    ] {
        damage(what);
        let target = service.path("target");
        let (_, error) = service.refused(&["backup", "restore", &id, text(&target)]);
        let code = error["code"].as_str().unwrap();
        assert!(codes.contains(&code), "{what}: {error:#}");
        assert!(
            !target.exists(),
            "{what}: a target that was not restored whole must not be there"
        );
        let (exit, error) = service.refused(&["backup", "verify", &id]);
        assert_eq!(
            (exit, &error["code"]),
            (7, &"corrupt".into()),
            "{what}: {error:#}"
        );
        assert_eq!(service.json(&["backup", "show", &id])["verify_result"], "corrupt");
        for path in objects(&service) {
            if !all.contains(&path) {
                std::fs::remove_file(path).unwrap();
            }
        }
        std::fs::write(first, &whole).unwrap();
        service.json(&["backup", "verify", &id]);
    }
    let leftovers: Vec<_> = std::fs::read_dir(service.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        !leftovers
            .iter()
            .any(|name| name.to_string_lossy().contains("partial")),
        "{leftovers:?}"
    );
}

#[test]
fn a_target_that_is_too_small_or_already_there_is_left_as_it_is() {
    let service = Service::posix("");
    let volume = volume(&service, "volume", 3 * MIB);
    let id = create(&service, &volume);
    let target = service.path("target");
    std::fs::write(&target, "precious").unwrap();
    let (_, error) = service.refused(&["backup", "restore", &id, text(&target)]);
    assert!(error["message"].as_str().unwrap().contains("target"), "{error:#}");
    let (_, error) = service.refused(&["backup", "restore", &id, text(&target), "--overwrite"]);
    assert_eq!(error["code"], "target-too-small", "{error:#}");
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "precious");
    // A larger one is written over, and its tail stays.
    std::fs::write(&target, vec![9; 4 * MIB as usize]).unwrap();
    service.json(&["backup", "restore", &id, text(&target), "--overwrite"]);
    let restored = std::fs::read(&target).unwrap();
    assert!(restored[..3 * MIB as usize] == std::fs::read(&volume).unwrap()[..]);
    assert!(restored[3 * MIB as usize..].iter().all(|byte| *byte == 9));
}

#[test]
fn bad_volumes_and_ids_are_refused_before_anything_is_recorded() {
    let service = Service::posix("");
    std::fs::write(service.path("empty"), "").unwrap();
    for volume in ["missing", "empty", "backups"] {
        let (_, error) = service.refused(&["backup", "create", text(&service.path(volume))]);
        assert!(!error["code"].as_str().unwrap().is_empty(), "{error:#}");
    }
    assert_eq!(service.json(&["backup", "list"]), serde_json::json!([]));
    let unknown = "00000000-0000-4000-8000-000000000000";
    for arguments in [
        ["backup", "show", unknown],
        ["backup", "verify", unknown],
        ["backup", "delete", unknown],
    ] {
        let (exit, error) = service.refused(&arguments);
        assert_eq!((exit, &error["code"]), (4, &"not-found".into()), "{error:#}");
    }
    let (_, error) = service.refused(&["backup", "show", "x"]);
    assert_eq!(error["code"], "bad-request");
}

#[test]
fn a_full_disk_leaves_an_error_backup_no_partial_object_and_can_be_deleted() {
    let mount = tempfile::tempdir().unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"])
        .arg(mount.path())
        .output()
        .unwrap();
    if !mounted.status.success() {
        println!(
            "SKIPPED: this user cannot mount a tmpfs: {}",
            String::from_utf8_lossy(&mounted.stderr)
        );
        return;
    }
    let path = mount.path().to_str().unwrap();
    let service = Service::configure(
        "backup_compression_algorithm = \"none\"",
        &format!(
            "[backends.small]\nbackup_driver = \"posix\"\nbackup_posix_path = \"{path}\"\nbackup_file_size = \"1MiB\"\n\
             grants.directories = [{{ path = \"{path}\", access = \"read-write\" }}]\n"
        ),
    );
    let volume = volume(&service, "volume", 8 * MIB);
    let (_, error) = service.refused(&["backup", "create", text(&volume)]);
    assert_eq!(error["code"], "driver.out-of-space", "{error:#}");
    let list = service.json(&["backup", "list"]);
    assert_eq!(list[0]["status"], "error", "{list:#}");
    assert_eq!(list[0]["fail_code"], "driver.out-of-space");
    let files = std::process::Command::new("find")
        .arg(path)
        .args(["-type", "f"])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&files.stdout),
        "",
        "nothing half-made is left"
    );
    service.json(&["backup", "delete", list[0]["id"].as_str().unwrap()]);
    let gone = std::process::Command::new("umount")
        .arg(mount.path())
        .status()
        .unwrap();
    assert!(gone.success());
}

#[test]
fn an_error_backup_that_never_reached_the_backend_can_be_deleted_while_everything_is_down() {
    let mut service = Service::posix("backup_file_size = 1\n");
    // The driver refuses its settings: down. A record from before is put in by a killed create below.
    let (exit, error) = service.refused(&["backup", "create", "/bin/sh"]);
    assert_eq!((exit, &error["code"]), (5, &"backend-down".into()), "{error:#}");
    service.start();
    let down = service.wait("good", Duration::from_secs(10), |status| {
        status["phase"] == "down"
    });
    assert_eq!(down["code"], "driver.invalid-configuration", "{down:#}");
    service.stop();
}

#[test]
fn a_killed_service_tells_the_truth_at_its_next_start() {
    let mut service = Service::posix("backup_file_size = \"1MiB\"\nbackup_compression_algorithm = \"bz2\"\n");
    let volume = volume(&service, "volume", 64 * MIB);
    let (mut kills, mut lost) = (0, 0);
    for round in 0..5_u64 {
        service.start();
        service.wait("good", Duration::from_secs(10), |status| status["state"] == "up");
        let begun = service.json(&["backup", "create", text(&volume), "--no-wait"]);
        std::thread::sleep(Duration::from_millis(40 * round));
        service.kill();
        kills += 1;
        let shown = service.json(&["backup", "show", begun["backup_id"].as_str().unwrap()]);
        match shown["status"].as_str().unwrap() {
            "error" => assert_eq!(shown["fail_code"], "interrupted", "{shown:#}"),
            "available" => {
                service.json(&["backup", "verify", shown["id"].as_str().unwrap()]);
            }
            _ => lost += 1,
        }
        service.json(&["backup", "delete", shown["id"].as_str().unwrap()]);
    }
    println!("{kills} kills, {lost} records that lie");
    assert_eq!(lost, 0);
    assert_eq!(
        objects(&service),
        Vec::<PathBuf>::new(),
        "a deleted backup leaves nothing, not even of a cut-off put"
    );
}

#[test]
fn a_four_gib_volume_is_backed_up_in_bounded_memory() {
    let mut service = Service::posix("backup_compression_algorithm = \"zstd\"\n");
    let path = service.path("volume");
    let file = File::create(&path).unwrap();
    file.set_len(4 << 30).unwrap();
    // Data in every eighth MiB, so that the default object of 2 GB has much to carry; the rest is holes.
    let mut noise = vec![0_u8; MIB as usize];
    for index in (0..4096_u64).step_by(8) {
        for (at, chunk) in noise.chunks_mut(8).enumerate() {
            let value = (index + 1)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .wrapping_add((at as u64).wrapping_mul(0xd134_2543_de82_ef95));
            chunk.copy_from_slice(&(value ^ (value >> 29)).to_le_bytes());
        }
        file.write_at(&noise, index * MIB).unwrap();
    }
    service.start();
    service.wait("good", Duration::from_secs(10), |status| status["state"] == "up");
    let id = create(&service, &path);
    service.json(&["backup", "verify", &id]);
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.pid())).unwrap();
    let peak: u64 = status
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmHWM:")?
                .trim()
                .strip_suffix(" kB")?
                .trim()
                .parse()
                .ok()
        })
        .unwrap();
    println!(
        "peak memory of the whole process for a 4 GiB volume: {} MiB",
        peak / 1024
    );
    assert!(peak < 400 * 1024, "{} MiB", peak / 1024);
    service.stop();
}
