//! Incremental backups through the built binary: made, restored, verified, deleted in order, and found again after the
//! catalog is lost.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use cofferdam_tests::service::Service;
use serde_json::Value;

const SIZE: usize = 5 << 20;

fn create(service: &Service, arguments: &[&str]) -> Value {
    let volume = service.path("volume");
    let mut all = vec!["backup", "create", volume.to_str().unwrap()];
    all.extend(arguments);
    let made = service.json(&all);
    service.json(&["backup", "show", made["backup_id"].as_str().unwrap()])
}

fn id(backup: &Value) -> &str {
    backup["id"].as_str().unwrap()
}

/// Writes so many bytes at a place that depends on the seed.
fn scribble(volume: &Path, seed: u64, length: usize) {
    let file = File::options().write(true).open(volume).unwrap();
    let bytes: Vec<u8> = (0..length).map(|at| ((at as u64 * seed) >> 3) as u8).collect();
    file.write_all_at(&bytes, seed * 7919 % (SIZE - length) as u64)
        .unwrap();
}

fn restored(service: &Service, backup: &str) -> Vec<u8> {
    let target = service.path("restored");
    service.json(&["backup", "restore", backup, target.to_str().unwrap()]);
    let bytes = std::fs::read(&target).unwrap();
    std::fs::remove_file(target).unwrap();
    bytes
}

#[test]
fn a_chain_is_made_restored_deleted_in_order_and_adopted_again() {
    let mut service =
        Service::posix("backup_file_size = \"1MiB\"\nbackup_compression_algorithm = \"zstd\"\n");
    let volume = service.path("volume");
    std::fs::write(&volume, vec![3; SIZE]).unwrap();
    service.start();
    service.wait("good", Duration::from_secs(10), |status| status["state"] == "up");
    let (_, error) = service.refused(&["backup", "create", volume.to_str().unwrap(), "--incremental"]);
    assert!(
        error["message"].as_str().unwrap().contains("no available backup"),
        "{error:#}"
    );

    let mut made = vec![(create(&service, &[]), std::fs::read(&volume).unwrap())];
    for seed in 1..4 {
        scribble(&volume, seed * 1001, 100_000);
        let backup = create(&service, &["--incremental"]);
        assert_eq!(backup["parent_id"], made.last().unwrap().0["id"], "{backup:#}");
        assert!(backup["stored_bytes"].as_u64().unwrap() < 300_000, "{backup:#}");
        made.push((backup, std::fs::read(&volume).unwrap()));
    }
    for (backup, content) in &made {
        service.json(&["backup", "verify", id(backup)]);
        assert!(restored(&service, id(backup)) == *content, "{backup:#}");
    }
    let export = |backup: &Value| {
        let record = service.json(&["backup", "export", id(backup)]);
        assert_eq!(
            record["backup_service"],
            "cinder.backup.drivers.posix.PosixBackupDriver"
        );
        record["backup_url"].as_str().unwrap().to_owned()
    };
    let exported: Vec<String> = made.iter().map(|(backup, _)| export(backup)).collect();
    let (exit, error) = service.refused(&["backup", "delete", id(&made[1].0)]);
    assert_eq!((exit, &error["code"]), (6, &"conflict".into()), "{error:#}");
    assert!(
        error["message"].as_str().unwrap().contains("incremental"),
        "{error:#}"
    );
    service.stop();

    // The catalog is lost; what is on the storage is enough.
    std::fs::remove_dir_all(service.path("state")).unwrap();
    service.start();
    service.wait("good", Duration::from_secs(10), |status| status["state"] == "up");
    let adopt = |backup: &Value| {
        let text = |name: &str| backup[name].as_str().unwrap().to_owned();
        let arguments = ["backup", "adopt", "--backend", "good"].map(String::from);
        [arguments.to_vec(), vec![text("container"), text("prefix")]].concat()
    };
    let arguments = adopt(&made[3].0);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (_, error) = service.refused(&arguments);
    assert!(error["remedy"].as_str().unwrap().contains("first"), "{error:#}");
    for (backup, _) in &made {
        let arguments = adopt(backup);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let adopted = service.json(&arguments);
        assert_eq!(adopted["parent_id"], backup["parent_id"], "{adopted:#}");
    }
    // Once more by the exported records, for which the ids must be new to the catalog.
    service.stop();
    std::fs::remove_dir_all(service.path("state")).unwrap();
    service.start();
    service.wait("good", Duration::from_secs(10), |status| status["state"] == "up");
    let (_, error) = service.refused(&["backup", "import", "--backend", "good", "bm9uc2Vuc2U="]);
    assert_eq!(error["code"], "invalid", "{error:#}");
    for ((backup, _), url) in made.iter().zip(&exported) {
        let imported = service.json(&["backup", "import", "--backend", "good", url]);
        for field in ["id", "parent_id", "created_at", "volume_id"] {
            let second = |value: &Value| {
                value[field]
                    .as_str()
                    .map(|text| text.chars().take(19).collect::<String>())
            };
            assert_eq!(second(&imported), second(backup), "{field}");
        }
    }
    for (backup, content) in made.iter().rev() {
        assert!(restored(&service, id(backup)) == *content, "{backup:#}");
        service.json(&["backup", "delete", id(backup)]);
    }
    service.stop();
}

#[test]
fn a_damaged_backup_is_never_built_on() {
    let mut service =
        Service::posix("backup_file_size = \"1MiB\"\nbackup_compression_algorithm = \"none\"\n");
    let volume = service.path("volume");
    std::fs::write(&volume, vec![3; SIZE]).unwrap();
    service.start();
    service.wait("good", Duration::from_secs(10), |status| status["state"] == "up");
    let first = create(&service, &[]);
    scribble(&volume, 77, 100_000);
    let second = create(&service, &["--incremental"]);
    let container = service.backups().join(second["container"].as_str().unwrap());
    let object = container.join(format!("{}-00001", second["prefix"].as_str().unwrap()));
    let file = File::options().write(true).open(object).unwrap();
    file.write_all_at(&[1, 2, 3], 100).unwrap();
    let (exit, _) = service.refused(&["backup", "verify", id(&second)]);
    assert_eq!(exit, 7);
    scribble(&volume, 99, 100_000);
    let third = create(&service, &["--incremental"]);
    assert_eq!(
        third["parent_id"], first["id"],
        "not on the damaged one: {third:#}"
    );
    assert!(restored(&service, id(&third)) == std::fs::read(&volume).unwrap());
    // A volume that grew needs a full backup.
    File::options()
        .write(true)
        .open(&volume)
        .unwrap()
        .set_len(SIZE as u64 + 1)
        .unwrap();
    let (_, error) = service.refused(&["backup", "create", volume.to_str().unwrap(), "--incremental"]);
    assert_eq!(error["code"], "incremental-impossible", "{error:#}");
    service.stop();
}

#[test]
fn objects_that_belong_to_no_record_are_found_and_only_our_own_are_removed() {
    let mut service =
        Service::posix("backup_file_size = \"1MiB\"\nbackup_compression_algorithm = \"none\"\n");
    std::fs::write(service.path("volume"), vec![3; SIZE]).unwrap();
    service.start();
    service.wait("good", Duration::from_secs(10), |status| status["state"] == "up");
    let kept = create(&service, &[]);
    let gone = create(&service, &[]);
    let folder = service.backups().join(gone["container"].as_str().unwrap());
    let ours = format!("{}-00003", gone["prefix"].as_str().unwrap());
    service.json(&["backup", "delete", id(&gone)]);
    let orphans = |more: &[&str]| {
        let arguments = [&["backup", "orphans", "--backend", "good"], more].concat();
        service.json(&arguments)
    };
    assert_eq!(orphans(&[]), serde_json::json!([]));
    // One of a deleted backup, one of nobody.
    std::fs::write(folder.join(&ours), "left").unwrap();
    std::fs::write(folder.join("volume_of_somebody-00001"), "theirs").unwrap();
    let found = orphans(&[]);
    let names: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|orphan| orphan["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 2, "{found:#}");
    assert!(
        names.contains(&"volume_of_somebody-00001") && names.contains(&&ours[..]),
        "{found:#}"
    );
    let removed = orphans(&["--remove"]);
    for orphan in removed.as_array().unwrap() {
        assert_eq!(orphan["removed"], orphan["name"] == ours[..], "{removed:#}");
    }
    assert_eq!(orphans(&[]).as_array().unwrap().len(), 1);
    assert!(folder.join("volume_of_somebody-00001").exists());
    service.json(&["backup", "verify", id(&kept)]);
    service.stop();
}

#[test]
fn every_backup_is_verified_again_within_the_span_without_anybodys_asking() {
    let mut service =
        Service::posix("backup_file_size = \"1MiB\"\nbackup_compression_algorithm = \"none\"\n");
    let config = std::fs::read_to_string(service.config()).unwrap();
    std::fs::write(
        service.config(),
        format!("backup_verify_within = \"2s\"\n{config}"),
    )
    .unwrap();
    std::fs::write(service.path("volume"), vec![3; SIZE]).unwrap();
    service.start();
    service.wait("good", Duration::from_secs(10), |status| status["state"] == "up");
    let made = [create(&service, &[]), create(&service, &["--incremental"])];
    let wait = |wanted: &dyn Fn(&Value) -> bool| {
        let begin = std::time::Instant::now();
        loop {
            let shown = made
                .iter()
                .map(|backup| service.json(&["backup", "show", id(backup)]));
            if shown.collect::<Vec<_>>().iter().all(wanted) {
                return;
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "{}", service.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    wait(&|backup| backup["verify_result"] == "ok");
    let first = &made[0];
    let object = service.backups().join(first["container"].as_str().unwrap());
    let object = object.join(format!("{}-00002", first["prefix"].as_str().unwrap()));
    File::options()
        .write(true)
        .open(object)
        .unwrap()
        .write_all_at(&[1], 9)
        .unwrap();
    // The other builds on it.
    wait(&|backup| backup["verify_result"] == "corrupt");
    assert!(service.log().contains("did not pass its verification"));
    service.stop();
}

#[test]
fn a_whole_backend_is_taken_in_after_the_catalog_is_lost() {
    let mut service = Service::posix("backup_file_size = \"1MiB\"\n");
    let volume = service.path("volume");
    std::fs::write(&volume, vec![3; SIZE]).unwrap();
    let begun = |service: &mut Service| {
        service.start();
        service.wait("good", Duration::from_secs(10), |status| status["state"] == "up");
    };
    begun(&mut service);
    let mut made = Vec::new();
    for chain in 0..3_u64 {
        made.push(create(&service, &["--container", &format!("shelf/{chain}")]));
        for step in 1..3 {
            scribble(&volume, chain * 10 + step, 9000);
            let parent = id(made.last().unwrap()).to_owned();
            let container = format!("shelf/{}", (chain + step) % 3);
            made.push(create(
                &service,
                &["--parent", &parent, "--container", &container],
            ));
        }
    }
    // One whose parent is gone, and one that is damaged.
    let orphan = create(&service, &["--parent", id(&made[0])]);
    let damaged = create(&service, &["--container", "damaged"]);
    let metadata = service
        .backups()
        .join("damaged")
        .join(format!("{}_metadata", damaged["prefix"].as_str().unwrap()));
    std::fs::write(metadata, b"{").unwrap();
    let contents: Vec<_> = made.iter().map(|backup| restored(&service, id(backup))).collect();
    service.stop();
    for file in std::fs::read_dir(service.path("state")).unwrap().flatten() {
        if file.file_name().to_string_lossy().starts_with("catalog") {
            std::fs::remove_file(file.path()).unwrap();
        }
    }
    begun(&mut service);
    let output = service.run(&["backup", "adopt", "--backend", "good", "--json"]);
    assert_eq!(output.status.code(), Some(1), "the damaged one is told of");
    let done: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(done["adopted"].as_array().unwrap().len(), 10, "{done:#}");
    let refused = done["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 1, "{done:#}");
    assert_eq!(refused[0]["prefix"], damaged["prefix"]);
    assert_eq!(refused[0]["error"]["code"], "metadata-invalid");
    for (backup, content) in made.iter().zip(&contents) {
        assert!(restored(&service, id(backup)) == *content);
    }
    let again = service.run(&["backup", "adopt", "--backend", "good", "--json"]);
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(
        (&again["adopted"], &again["known"]),
        (&serde_json::json!([]), &10.into())
    );
    let one = service.json(&["backup", "show", id(&orphan)]);
    assert_eq!(one["parent_id"], made[0]["id"]);
    service.stop();
}
