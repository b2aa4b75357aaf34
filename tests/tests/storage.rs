//! The drivers s3 and swift through the built binary, against a real Swift with its s3api: what users do with them, and what
//! they are told when the storage says no or is gone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cofferdam_tests::servers::Swift;
use cofferdam_tests::service::Service;
use serde_json::Value;

const BACKENDS: [&str; 2] = ["s3", "swift"];
const SOON: Duration = Duration::from_secs(30);

/// Options of the service that make it look often.
const OFTEN: &str = "periodic_interval = \"1s\"\nreport_interval = \"1s\"\nbackup_initialization_timeout = \"20s\"\n\
                     failure_threshold = 1\nbackup_probe_timeout = \"5s\"";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A volume of bytes that no algorithm makes smaller.
fn volume(service: &Service, size: usize) -> PathBuf {
    let path = service.path("volume");
    let mut bytes = vec![0; size];
    fastrand::Rng::with_seed(7).fill(&mut bytes);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn is_up(status: &Value) -> bool {
    status["state"] == "up"
}

#[test]
fn backups_go_to_a_real_swift_by_both_drivers_and_come_back_bit_for_bit() {
    let Some(swift) = Swift::start(23200) else { return };
    let key = format!("{:?}", swift.value("key"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, format!("{}\n", swift.value("key"))).unwrap();
    let kept = format!("{{ file = {file:?} }}");
    let mut service = Service::configure(OFTEN, &swift.sections([&kept, &key], ["", ""]));
    let volume = volume(&service, 7 << 20);
    service.start();
    let mut made = Vec::new();
    for backend in BACKENDS {
        service.wait(backend, SOON, is_up);
        for incremental in [false, true] {
            let mut arguments = vec!["backup", "create", text(&volume), "--backend", backend];
            if incremental {
                let file = std::fs::File::options().write(true).open(&volume).unwrap();
                file.write_all_at(&[9; 40_000], 3 << 20).unwrap();
                arguments.push("--incremental");
            }
            let content = std::fs::read(&volume).unwrap();
            let done = service.json(&arguments);
            assert_eq!(done["state"], "succeeded", "{backend}: {done:#}");
            made.push((backend, done["backup_id"].as_str().unwrap().to_owned(), content));
        }
    }
    let check = |service: &Service, id: &str, content: &[u8]| {
        let target = service.path("restored");
        let _ = std::fs::remove_file(&target);
        let done = service.json(&["backup", "restore", id, text(&target)]);
        assert_eq!(done["state"], "succeeded", "{done:#}");
        assert!(
            std::fs::read(&target).unwrap() == content,
            "{id} came back otherwise"
        );
        assert_eq!(service.json(&["backup", "verify", id])["state"], "succeeded");
    };
    for (_, id, content) in &made {
        check(&service, id, content);
    }

    // A service that knows nothing takes over what is there: each driver also what the other wrote, for it is one account.
    for backend in BACKENDS {
        service.stop();
        std::fs::remove_dir_all(service.path("state")).unwrap();
        service.start();
        service.wait(backend, SOON, is_up);
        let adopted = service.json(&["backup", "adopt", "--backend", backend]);
        assert_eq!(
            adopted["adopted"].as_array().unwrap().len(),
            made.len(),
            "{backend}: {adopted:#}"
        );
        for (_, id, content) in &made {
            check(&service, id, content);
        }
        for other in BACKENDS {
            service.wait(other, SOON, is_up);
            let again = service.json(&["backup", "adopt", "--backend", other]);
            assert_eq!(again["adopted"], serde_json::json!([]), "{again:#}");
            assert_eq!(again["known"], made.len(), "{again:#}");
        }
    }

    // The newest first; then nothing is left.
    for (_, id, _) in made.iter().rev() {
        service.json(&["backup", "delete", id]);
    }
    for backend in BACKENDS {
        let adopted = service.json(&["backup", "adopt", "--backend", backend]);
        assert_eq!(adopted["adopted"], serde_json::json!([]), "{backend}");
    }
    service.stop();
}

#[test]
fn what_the_storage_refuses_reads_differently_and_is_mended_without_a_restart() {
    let Some(mut swift) = Swift::start(23300) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "nobody-may-see-4711").unwrap();
    let kept = format!("{{ file = {file:?} }}");
    let mut service = Service::configure(OFTEN, &swift.sections([&kept, &kept], ["", ""]));
    service.start();

    // Credentials that are wrong, then right, at their source.
    let mut reasons = Vec::new();
    for backend in BACKENDS {
        let status = service.wait(backend, SOON, |status| status["code"] == "driver.unauthorized");
        reasons.push(status["message"].as_str().unwrap().to_owned());
    }
    std::fs::write(&file, swift.value("key")).unwrap();
    for backend in BACKENDS {
        service.wait(backend, SOON, is_up);
    }

    // The server goes and comes back, again and again.
    for round in 0..3 {
        swift.stop();
        for backend in BACKENDS {
            let begin = Instant::now();
            let status = service.wait(backend, SOON, |status| status["state"] == "down");
            assert!(begin.elapsed() < Duration::from_secs(20), "round {round}");
            assert_eq!(status["code"], "driver.unavailable", "{status:#}");
            let message = status["message"].as_str().unwrap();
            assert!(message.contains("nothing listens there"), "{message}");
            reasons.push(message.to_owned());
        }
        assert!(swift.start_again());
        for backend in BACKENDS {
            service.wait(backend, SOON, is_up);
        }
    }

    // A right that is missing for writing, a policy that is not there, a name that does not resolve, no grant.
    let key = format!("{:?}", swift.value("key"));
    let reader = swift
        .sections(
            [&key, "\"nobody-may-see-77aa\""],
            ["", "backup_swift_container = \"volumebackups\""],
        )
        .replace(
            "backup_swift_user = \"test:tester\"",
            "backup_swift_user = \"test:reader\"",
        );
    let policy = swift.sections(
        [&key, &key],
        [
            "",
            "backup_swift_create_storage_policy = \"nosuch\"\nbackup_swift_container = \"other\"",
        ],
    );
    let nowhere = swift
        .sections([&key, &key], ["", ""])
        .replace(
            &format!("_url = \"{}", swift.value("swift_url")),
            "_url = \"http://nobody.invalid",
        )
        .replace(
            &format!("[\"{}\"]", swift.value("swift_url")),
            "[\"http://nobody.invalid\"]",
        );
    let denied = swift
        .sections([&key, &key], ["", ""])
        .replace(&format!("grants.http = [\"{}\"]", swift.value("swift_url")), "");
    for (name, text, backends, code, words) in [
        ("reader", &reader, vec!["swift"], "driver.unauthorized", "403"),
        (
            "policy",
            &policy,
            vec!["swift"],
            "driver.invalid-configuration",
            "does not know the policy",
        ),
        (
            "nowhere",
            &nowhere,
            BACKENDS.to_vec(),
            "driver.unavailable",
            "cannot be resolved",
        ),
    ] {
        service.rewrite(OFTEN, text);
        service.json(&["config", "reload"]);
        for backend in backends {
            let status = service.wait(backend, SOON, |status| status["code"] == code);
            let message = status["message"].as_str().unwrap();
            assert!(message.contains(words), "{name}: {message}");
            reasons.push(message.to_owned());
        }
    }
    // What is not granted is refused before anything changes, with the line to add.
    service.rewrite(OFTEN, &denied);
    let (code, error) = service.refused(&["config", "reload"]);
    assert_eq!(code, 3);
    let line = format!("http = [\"{}\"]", swift.value("swift_url"));
    assert!(error["message"].as_str().unwrap().contains(&line), "{error:#}");
    service.rewrite(OFTEN, &swift.sections([&key, &key], ["", ""]));
    service.json(&["config", "reload"]);
    for backend in BACKENDS {
        service.wait(backend, SOON, is_up);
    }
    let all = reasons.join("\n")
        + &service.log()
        + &service.get_text("/v1/services")
        + &service.get_text("/metrics");
    assert!(!all.contains("nobody-may-see-4711"), "a secret was told: {all}");
    service.stop();
}

#[test]
fn a_backup_and_a_restore_outlive_a_storage_that_goes_and_comes_back_meanwhile() {
    let Some(mut swift) = Swift::start(23700) else {
        return;
    };
    let key = format!("{:?}", swift.value("key"));
    let options = format!("{OFTEN}\ndriver_retry_wait = \"200ms\"\nbackup_compression_algorithm = \"none\"");
    let mut service = Service::configure(&options, &swift.sections([&key, &key], ["", ""]));
    let volume = volume(&service, 60 << 20);
    let content = std::fs::read(&volume).unwrap();
    service.start();
    let retries = |service: &Service, backend: &str| -> f64 {
        let metrics = service.get_text("/metrics");
        let name = format!("cofferdam_driver_retries_total{{backend=\"{backend}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&name)).unwrap();
        line.parse().unwrap()
    };
    // Waits until some of it is through, takes the storage away for a while, and waits for the end.
    let interrupted = |swift: &mut Swift, id: &str| -> String {
        let path = format!("/v1/operations/{id}");
        let begin = Instant::now();
        while service.get(&path)["bytes_stored"].as_u64().unwrap() < 4 << 20 {
            assert!(begin.elapsed() < SOON, "nothing moves: {:#}", service.get(&path));
            std::thread::sleep(Duration::from_millis(2));
        }
        swift.stop();
        std::thread::sleep(Duration::from_secs(2));
        assert_eq!(service.get(&path)["state"], "running", "{:#}", service.get(&path));
        assert!(swift.start_again());
        service.finished(id).0
    };
    for backend in BACKENDS {
        service.wait(backend, SOON, is_up);
        let before = retries(&service, backend);
        let create = serde_json::json!({ "volume": text(&volume), "backend": backend });
        let id = interrupted(&mut swift, &service.begin("/v1/backups", &create));
        let between = retries(&service, backend);
        assert!(between > before, "{backend}: nothing was made again");
        service.wait(backend, SOON, is_up);
        let target = service.path(&format!("restored-{backend}"));
        let restore = serde_json::json!({ "target": text(&target) });
        interrupted(
            &mut swift,
            &service.begin(&format!("/v1/backups/{id}/restore"), &restore),
        );
        assert!(
            retries(&service, backend) > between,
            "{backend}: nothing was got again"
        );
        assert!(
            std::fs::read(&target).unwrap() == content,
            "{backend}: it came back otherwise"
        );
        service.wait(backend, SOON, is_up);
        assert_eq!(service.json(&["backup", "verify", &id])["state"], "succeeded");
    }
    service.stop();
}
