//! The catalog through the built binary: lost and made anew from storage alone, checked, copied while it is written to.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use cofferdam_tests::service::Service;
use serde_json::Value;

const BACKENDS: [&str; 2] = ["one", "two"];

/// Two posix backends on folders of their own.
fn two() -> Service {
    let section = |name: &str| {
        format!(
            "[backends.{name}]\nbackup_driver = \"posix\"\nbackup_posix_path = \"{{folder}}/{name}\"\n\
             grants.directories = [{{ path = \"{{folder}}/{name}\", access = \"read-write\" }}]\n\
             backup_file_size = \"1MiB\"\n"
        )
    };
    let sections = BACKENDS.map(section).concat();
    let service = Service::configure("periodic_interval = \"1s\"", &sections);
    for name in BACKENDS {
        std::fs::create_dir(service.path(name)).unwrap();
    }
    std::fs::write(service.path("volume"), vec![7; 3 << 20]).unwrap();
    service
}

fn begin(service: &mut Service) {
    service.start();
    for name in BACKENDS {
        service.wait(name, Duration::from_secs(20), |status| status["state"] == "up");
    }
}

/// Makes a backup and says its id and what the volume held.
fn create(service: &Service, arguments: &[&str]) -> (String, Vec<u8>) {
    let volume = service.path("volume");
    let mut bytes = std::fs::read(&volume).unwrap();
    let next = bytes[0].wrapping_add(1);
    bytes[..5000].fill(next);
    std::fs::write(&volume, &bytes).unwrap();
    let mut all = vec!["backup", "create", volume.to_str().unwrap()];
    all.extend(arguments);
    let made = service.json(&all);
    (made["backup_id"].as_str().unwrap().to_owned(), bytes)
}

fn restored(service: &Service, id: &str) -> Vec<u8> {
    let target = service.path("restored");
    service.json(&["backup", "restore", id, target.to_str().unwrap()]);
    let bytes = std::fs::read(&target).unwrap();
    std::fs::remove_file(target).unwrap();
    bytes
}

fn lose(service: &Service) {
    for file in std::fs::read_dir(service.path("state")).unwrap().flatten() {
        if file.file_name().to_string_lossy().starts_with("catalog") {
            std::fs::remove_file(file.path()).unwrap();
        }
    }
}

/// Changes a database behind its service's back.
fn tamper(database: &Path, sql: &str) {
    let program = "import sqlite3, sys\nd = sqlite3.connect(sys.argv[1])\nd.execute(sys.argv[2])\nd.commit()\nd.close()";
    let done = Command::new("python3")
        .args(["-c", program])
        .arg(database)
        .arg(sql)
        .status();
    assert!(done.expect("python3 runs").success());
}

#[test]
fn a_lost_catalog_is_made_anew_from_storage_alone_and_every_backup_restores() {
    let mut service = two();
    begin(&mut service);
    let mut made = Vec::new();
    for backend in BACKENDS {
        let full = create(&service, &["--backend", backend, "--name", "night"]);
        let parent = full.0.clone();
        made.push(full);
        let second = create(&service, &["--backend", backend, "--parent", &parent]);
        let third = create(&service, &["--backend", backend, "--parent", &second.0]);
        made.extend([second, third]);
        made.push(create(&service, &["--backend", backend]));
    }
    service.stop();
    lose(&service);

    // Without a service the command is one for as long as it takes.
    let done = service.json(&["catalog", "rebuild"]);
    for (place, backend) in BACKENDS.iter().enumerate() {
        let part = &done[place];
        let found = (
            &part["backend"],
            part["adopted"].as_array().map(Vec::len),
            &part["known"],
        );
        assert_eq!(found, (&Value::from(*backend), Some(4), &0.into()), "{done:#}");
    }
    begin(&mut service);
    for (id, content) in &made {
        assert!(restored(&service, id) == *content, "{id}");
    }
    let shown = service.json(&["backup", "show", &made[2].0]);
    assert_eq!(shown["parent_id"].as_str(), Some(made[1].0.as_str()));
    // A chain goes on, and what is known is not taken in twice.
    create(&service, &["--backend", "one", "--parent", &made[2].0]);
    let again = service.json(&["catalog", "rebuild"]);
    assert_eq!((&again[0]["known"], &again[1]["known"]), (&5.into(), &4.into()));
    service.json(&["catalog", "check"]);
    service.stop();
}

#[test]
fn what_cannot_be_taken_in_and_who_is_down_is_told_and_ends_in_a_code_of_its_own() {
    let mut service = two();
    begin(&mut service);
    let (kept, content) = create(&service, &["--backend", "one"]);
    let (broken, _) = create(&service, &["--backend", "one"]);
    let shown = service.json(&["backup", "show", &broken]);
    create(&service, &["--backend", "two"]);
    service.stop();
    lose(&service);
    std::fs::rename(service.path("two"), service.path("away")).unwrap();
    let (code, error) = service.refused(&["catalog", "rebuild"]);
    assert_eq!((code, &error["code"]), (5, &"backend-down".into()), "{error:#}");
    let (container, prefix) = (
        shown["container"].as_str().unwrap(),
        shown["prefix"].as_str().unwrap(),
    );
    let metadata = service
        .path("one")
        .join(container)
        .join(format!("{prefix}_metadata"));
    std::fs::write(metadata, b"{").unwrap();
    lose(&service);
    let output = service.run(&["catalog", "rebuild", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let done: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(done[0]["refused"][0]["prefix"].as_str(), Some(prefix), "{done:#}");
    assert_eq!(done[1]["error"]["code"], "backend-down", "{done:#}");
    assert!(restored(&service, &kept) == content);
}

#[test]
fn check_tells_planted_damage_and_a_sound_catalog_from_one_another() {
    let mut service = two();
    let missing = service.refused(&["catalog", "check"]);
    assert_eq!(missing.0, 1);
    begin(&mut service);
    let (full, _) = create(&service, &["--backend", "one"]);
    let (child, _) = create(&service, &["--backend", "one", "--parent", &full]);
    let sound = service.json(&["catalog", "check"]);
    assert_eq!(sound["findings"], serde_json::json!([]));
    service.stop();
    let database = service.path("state/catalog.sqlite");
    let whole = std::fs::read(&database).unwrap();
    for (rule, sql) in [
        (
            "status",
            format!("UPDATE backups SET status = 'odd' WHERE id = '{child}'"),
        ),
        (
            "parent",
            format!("UPDATE backups SET parent_id = 'x' WHERE id = '{child}'"),
        ),
        (
            "chain",
            format!("UPDATE backups SET parent_id = id WHERE id = '{child}'"),
        ),
        (
            "record",
            format!("UPDATE backups SET metadata = 'x' WHERE id = '{child}'"),
        ),
        (
            "claim",
            format!("UPDATE backups SET claim_owner = 'x' WHERE id = '{child}'"),
        ),
        ("usage", "UPDATE usage SET gigabytes = 99".to_owned()),
    ] {
        std::fs::write(&database, &whole).unwrap();
        tamper(&database, &sql);
        let output = service.run(&["catalog", "check", "--json"]);
        assert_eq!(output.status.code(), Some(1), "{rule}");
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = found["findings"].as_array().unwrap();
        assert!(
            found.iter().any(|finding| finding["rule"] == rule),
            "{rule}: {found:#?}"
        );
        let about = |finding: &Value| {
            let subject = finding["subject"].as_str().unwrap();
            subject.ends_with(&child) || subject.starts_with("project")
        };
        assert!(found.iter().all(about), "{rule}: {found:#?}");
    }
    // What a newer version wrote is nobody's to look at or to serve.
    std::fs::write(&database, &whole).unwrap();
    tamper(
        &database,
        "INSERT INTO _sqlx_migrations VALUES (99, 'x', '2030-01-01', 1, x'00', 0)",
    );
    let never = service.path("never");
    for command in [
        ["catalog", "check"].as_slice(),
        &["catalog", "backup", never.to_str().unwrap()],
        &["catalog", "rebuild"],
        &["service", "list"],
    ] {
        let (code, error) = service.refused(command);
        let message = error["message"].as_str().unwrap();
        assert_eq!(code, 1);
        assert!(
            message.contains("has schema 99") && message.contains("newer version"),
            "{message}"
        );
    }
}

#[test]
fn a_copy_made_while_the_service_writes_is_sound_and_serves_in_the_catalogs_place() {
    let mut service = two();
    begin(&mut service);
    let first = create(&service, &["--backend", "one"]);
    let copies: Vec<_> = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for _ in 0..6 {
                create(&service, &["--backend", "two"]);
            }
        });
        let mut copies = Vec::new();
        while !writer.is_finished() {
            let copy = service.path(&format!("copy{}", copies.len()));
            service.json(&["catalog", "backup", copy.to_str().unwrap()]);
            copies.push(copy);
        }
        copies
    });
    let (code, error) = service.refused(&["catalog", "backup", copies[0].to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(
        error["message"].as_str().unwrap().contains("something already"),
        "{error:#}"
    );
    service.stop();
    for copy in &copies {
        lose(&service);
        std::fs::copy(copy, service.path("state/catalog.sqlite")).unwrap();
        let sound = service.json(&["catalog", "check"]);
        assert_eq!(sound["findings"], serde_json::json!([]), "{}", copy.display());
    }
    assert!(restored(&service, &first.0) == first.1);
}
