//! Visits to a guest in a service, where a backup, a status or a whole life shows what it does. A healthy backend in
//! the same service must stay up, with every probe answered.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use cofferdam_tests::service::Service;
use serde_json::Value;

use crate::{Guest, Outcome, Zoo};

const PATIENCE: Duration = Duration::from_secs(20);

/// A service with the guest on a directory, and a healthy backend.
fn serve(guest: &Guest, kept: &Path, options: &str) -> Service {
    let mut service = Service::configure(
        "backup_compression_algorithm = \"none\"\nperiodic_interval = \"200ms\"\ndriver_retry_wait = \"10ms\"",
        &format!(
            "[backends.bad]\nbackup_driver = \"{{drivers}}/hostile/{}.wasm\"\n{options}\n\
             driver_stall_timeout = \"500ms\"\ndriver_stall_bytes = 1\ngrants.directories = [{{ path = \"{1}\", access = \"read-write\" }}]\n\
             [backends.healthy]\nbackup_driver = \"{{drivers}}/hostile/good.wasm\"\n",
            guest.name,
            kept.display()
        ),
    );
    let noise: Vec<u8> = (0..3_000_000_u32)
        .map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    std::fs::write(service.path("volume"), noise).unwrap();
    service.start();
    service.wait("healthy", PATIENCE, up);
    service
}

/// The same with a directory in the zoo's own folder, with the guest up.
fn serve_up(zoo: &Zoo, guest: &Guest) -> (Service, PathBuf) {
    let kept = zoo.test.folder().join(format!("{}-kept", guest.name));
    std::fs::create_dir_all(&kept).unwrap();
    let service = serve(guest, &kept, &format!("hostile_path = \"{}\"", kept.display()));
    service.wait("bad", PATIENCE, up);
    (service, kept)
}

fn up(status: &Value) -> bool {
    status["state"] == "up"
}

/// The healthy backend noticed nothing.
fn close(mut service: Service) {
    let healthy = service.status("healthy");
    assert!(up(&healthy) && healthy["probes_failed"] == 0, "{healthy:#}");
    service.stop();
}

fn outcome(error: &Value, took: Duration) -> Outcome {
    Outcome::new(
        error["code"].as_str().unwrap(),
        error["message"].as_str().unwrap(),
        took,
    )
}

fn create(service: &Service) -> String {
    let volume = service.path("volume");
    let made = service.json(&["backup", "create", volume.to_str().unwrap(), "--backend", "bad"]);
    made["backup_id"].as_str().unwrap().to_owned()
}

/// Its backup is made; a verification finds it out, and a restore gives nothing back.
pub(crate) fn verify(zoo: &Zoo, guest: &Guest) -> Outcome {
    let (service, _) = serve_up(zoo, guest);
    let id = create(&service);
    let begin = Instant::now();
    let (exit, error) = service.refused(&["backup", "verify", &id]);
    let outcome = outcome(&error, begin.elapsed());
    assert_eq!(exit, 7, "{error:#}");
    let target = service.path("restored");
    let (_, error) = service.refused(&["backup", "restore", &id, target.to_str().unwrap()]);
    let found = error["code"].as_str().unwrap();
    let known = ["object-missing", "object-altered", "object-truncated"];
    assert!(known.contains(&found), "{error:#}");
    assert!(!target.exists(), "a restore that failed leaves no target");
    close(service);
    outcome
}

/// Its backup cannot be made: the record says so with the cause, and can be deleted.
pub(crate) fn create_fails(zoo: &Zoo, guest: &Guest) -> Outcome {
    let (service, _) = serve_up(zoo, guest);
    let volume = service.path("volume");
    let begin = Instant::now();
    let (_, error) = service.refused(&["backup", "create", volume.to_str().unwrap(), "--backend", "bad"]);
    let outcome = outcome(&error, begin.elapsed());
    let backup = service.json(&["backup", "list"])[0].clone();
    assert_eq!(backup["status"], "error", "{backup:#}");
    assert_eq!(backup["fail_code"], error["code"], "{backup:#}");
    service.json(&["backup", "delete", backup["id"].as_str().unwrap()]);
    close(service);
    outcome
}

/// Its backup is deleted, and nothing of it is left although the driver does not show all.
pub(crate) fn delete(zoo: &Zoo, guest: &Guest) -> Outcome {
    let (service, kept) = serve_up(zoo, guest);
    let id = create(&service);
    let begin = Instant::now();
    service.json(&["backup", "delete", &id]);
    let took = begin.elapsed();
    let find = Command::new("find")
        .arg(kept)
        .args(["-type", "f", "-name", "*backup*"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&find.stdout), "");
    close(service);
    Outcome::new("ok", "deleted, 0 objects left", took)
}

/// Its listing never ends: the delete does, and says so.
pub(crate) fn delete_fails(zoo: &Zoo, guest: &Guest) -> Outcome {
    let (service, _) = serve_up(zoo, guest);
    let id = create(&service);
    let begin = Instant::now();
    let (_, error) = service.refused(&["backup", "delete", &id]);
    let outcome = outcome(&error, begin.elapsed());
    let shown = service.json(&["backup", "show", &id]);
    assert_eq!(shown["status"], "error_deleting", "{shown:#}");
    close(service);
    outcome
}

/// It fails a few times, and is up without anybody's doing at the first success, with no try too many.
pub(crate) fn comes_up(zoo: &Zoo, guest: &Guest) -> Outcome {
    let begin = Instant::now();
    let (service, _) = serve_up(zoo, guest);
    let took = begin.elapsed();
    let status = service.status("bad");
    let failed = status["initializations_failed"].as_u64().unwrap();
    assert_eq!(status["initializations_succeeded"], 1, "{status:#}");
    close(service);
    Outcome::new("ok", &format!("up by itself after {failed} failures"), took)
}

/// It fills a small disk: down for that.
pub(crate) fn fill_disk(zoo: &Zoo, guest: &Guest) -> Outcome {
    let mount = zoo.test.folder().join("small");
    std::fs::create_dir(&mount).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
        .arg(&mount)
        .status();
    if !mounted.unwrap().success() {
        println!(
            "SKIPPED: {}: this user cannot mount a tmpfs, and no other disk may be filled",
            guest.name
        );
        return Outcome::new(guest.code, guest.words, Duration::ZERO);
    }
    let service = serve(guest, &mount, &format!("hostile_path = \"{}\"", mount.display()));
    let down = service.wait("bad", PATIENCE, |status| status["phase"] == "down");
    close(service);
    assert!(Command::new("umount").arg(&mount).status().unwrap().success());
    let took = Duration::from_secs_f64(down["initialization_ms"].as_f64().unwrap() / 1e3);
    outcome(&down, took)
}
