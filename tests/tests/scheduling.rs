//! Which backend a new backup goes to, and that the reason is told: to whoever looks at the backup, and to whoever is refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use cofferdam_tests::cinder::Cinder;
use serde_json::Value;

fn create(cinder: &Cinder, more: &[&str]) -> Value {
    let volume = cinder.path("volume");
    let mut arguments = vec!["backup", "create", volume.to_str().unwrap()];
    arguments.extend(more);
    let made = cinder.json(&arguments);
    cinder.json(&["backup", "show", made["backup_id"].as_str().unwrap()])
}

fn chosen(backup: &Value) -> (&str, &str) {
    (
        backup["backend"].as_str().unwrap(),
        backup["scheduling"].as_str().unwrap(),
    )
}

fn refused(cinder: &Cinder, more: &[&str]) -> (i32, String, String) {
    let volume = cinder.path("volume");
    let mut arguments = vec!["backup", "create", volume.to_str().unwrap()];
    arguments.extend(more);
    let (exit, error) = cinder.refused(&arguments);
    let text = |name: &str| error[name].as_str().unwrap().to_owned();
    (exit, text("code"), text("message"))
}

#[test]
fn a_backup_goes_where_it_can_and_says_why() {
    let mut cinder = Cinder::configure("");
    std::fs::write(cinder.path("volume"), vec![7; 3 << 20]).unwrap();
    cinder.begin_life();

    let first = create(&cinder, &["--container", "first"]);
    let (backend, why) = chosen(&first);
    assert_eq!(backend, "one");
    assert!(why.contains("fewest operations (0) of 2"), "{why}");

    let asked = create(&cinder, &["--backend", "two", "--container", "second"]);
    assert_eq!(chosen(&asked), ("two", "the request asked for it"));

    // The container is where it was.
    let again = create(&cinder, &["--container", "second"]);
    let (backend, why) = chosen(&again);
    assert_eq!(backend, "two");
    assert!(why.contains("that container already"), "{why}");

    // The chain is where it was, though another backend is first.
    let grown = create(&cinder, &["--parent", again["id"].as_str().unwrap()]);
    assert_eq!(chosen(&grown), ("two", "what it builds on is there"));
}

#[test]
fn a_backend_that_is_switched_off_takes_nothing_new_also_after_a_restart() {
    let mut cinder = Cinder::configure("");
    std::fs::write(cinder.path("volume"), vec![7; 3 << 20]).unwrap();
    cinder.begin_life();
    let before = create(&cinder, &["--backend", "one"]);

    let off = cinder.json(&["service", "disable", "one", "--reason", "its disk is full"]);
    assert_eq!((&off["disabled"], &off["state"]), (&true.into(), &"up".into()));
    let other = create(&cinder, &[]);
    let (backend, why) = chosen(&other);
    assert_eq!(backend, "two");
    assert!(why.contains("one is disabled (its disk is full)"), "{why}");

    cinder.stop();
    cinder.begin_life();
    assert_eq!(chosen(&create(&cinder, &[])).0, "two");
    let (exit, code, message) = refused(&cinder, &["--backend", "one"]);
    assert_eq!((exit, &*code), (6, "disabled"), "{message}");
    let (exit, code, _) = refused(&cinder, &["--parent", before["id"].as_str().unwrap()]);
    assert_eq!(
        (exit, &*code),
        (6, "disabled"),
        "also what would go on with a chain there"
    );
    // What it has is not held back.
    let id = before["id"].as_str().unwrap();
    let target = cinder.path("restored");
    cinder.json(&["backup", "verify", id]);
    cinder.json(&["backup", "restore", id, target.to_str().unwrap()]);
    assert!(std::fs::read(target).unwrap() == vec![7; 3 << 20]);

    // No one left: refused at once, with what hinders each.
    cinder.json(&["service", "disable", "two"]);
    let (exit, code, message) = refused(&cinder, &[]);
    assert_eq!((exit, &*code), (5, "backend-down"), "{message}");
    for words in [
        "one is disabled (its disk is full)",
        "two is disabled (without a reason)",
    ] {
        assert!(message.contains(words), "{message}");
    }
    cinder.json(&["service", "enable", "one"]);
    assert_eq!(chosen(&create(&cinder, &[])).0, "one");
}

#[test]
fn a_backup_that_asks_for_a_zone_goes_to_a_backend_in_it() {
    let mut cinder = Cinder::configure("");
    let config = std::fs::read_to_string(cinder.config()).unwrap();
    let elsewhere = config.replace(
        "[backends.two]\n",
        "[backends.two]\nstorage_availability_zone = \"cellar\"\n",
    );
    assert_ne!(config, elsewhere);
    std::fs::write(cinder.config(), elsewhere).unwrap();
    cinder.begin_life();
    let admin = cinder.rest("admin", "p");
    let volume = cinder.volume(&admin, "v", 1);
    let zones = admin.get("/v3/os-availability-zone").json()["availabilityZoneInfo"].clone();
    let names: Vec<_> = zones
        .as_array()
        .unwrap()
        .iter()
        .map(|zone| zone["zoneName"].clone())
        .collect();
    assert_eq!(names, ["cellar", "nova"]);
    for (zone, backend) in [("cellar", "two"), ("nova", "one")] {
        let body = serde_json::json!({"backup": {"volume_id": volume, "availability_zone": zone}});
        let made = admin.post("/v3/backups", &body).expect(202).json()["backup"]["id"].clone();
        let path = format!("/v3/backups/{}", made.as_str().unwrap());
        admin.wait_for(&path, "available");
        let backup = admin.get(&path).json()["backup"].clone();
        assert_eq!(
            (&backup["backend"], &backup["availability_zone"]),
            (&backend.into(), &zone.into()),
            "{backup:#}"
        );
    }
    let body = serde_json::json!({"backup": {"volume_id": volume, "availability_zone": "attic"}});
    let refused = admin.post("/v3/backups", &body).expect(503).json();
    let message = refused["serviceUnavailable"]["message"].as_str().unwrap();
    assert!(message.contains("one is in availability zone nova"), "{message}");
    assert!(
        message.contains("two is in availability zone cellar"),
        "{message}"
    );
}

/// One operation at a time: the backup of a volume waits behind one of the same file by its path, which must not let go of what
/// the other holds.
#[test]
fn a_backup_by_path_lets_go_of_nothing_that_another_backup_holds() {
    let cinder = Cinder::start("backup_max_operations = 1\n");
    let member = cinder.rest("ada", "p");
    let volume = cinder.volume(&member, "v", 1);
    cinder.fill(&volume, 3, 64 << 20);
    let file = cinder.volume_file(&volume);
    let operation = cinder.begin("/v1/backups", &serde_json::json!({ "volume": file }));
    let body = serde_json::json!({"backup": {"volume_id": volume}});
    let made = member.post("/v3/backups", &body).expect(202).json()["backup"]["id"].clone();
    let path = format!("/v3/backups/{}", made.as_str().unwrap());
    let status = |path: &str, kind: &str| member.get(path).json()[kind]["status"].clone();
    let of_volume = format!("/v3/volumes/{volume}");
    assert_eq!(status(&of_volume, "volume"), "backing-up");

    cinder.finished(&operation);
    // The volume first: when the backup is still being made after that, it was being made then.
    let held = status(&of_volume, "volume");
    assert_eq!(
        status(&path, "backup"),
        "creating",
        "the backup was made too fast to see it"
    );
    assert_eq!(held, "backing-up");
    member.wait_for(&path, "available");
    assert_eq!(status(&of_volume, "volume"), "available");
}
