//! A storage that cannot be used, in each way that a deployer mends differently: what `service show` then says, inside the
//! deadline, differs from way to way, and the backend comes up by itself once the cause is gone. Through the built binary, with the
//! drivers s3 and swift and a real Swift behind fronts that misbehave.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests, and what the reasons read like is a part of what they show"
)]

mod authority;
mod causes;
mod front;
mod http;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use cofferdam_tests::servers::Swift;
use cofferdam_tests::service::Service;
use serde_json::Value;
use tokio::runtime::Runtime;

use authority::{Authority, NAME, Validity};
use causes::{CAUSES, Cause};
use front::{Front, Manner};

const DRIVERS: [&str; 2] = ["s3", "swift"];

/// Far more than any state takes; only a failure is waited for so long.
const SOON: Duration = Duration::from_secs(120);

/// Options of the service that make it look often. A black hole is told of after three quarters of the deadline.
const OFTEN: &str = "periodic_interval = \"2s\"\nreport_interval = \"1s\"\nbackup_initialization_timeout = \"8s\"\n\
                     failure_threshold = 1\nbackup_probe_timeout = \"5s\"";

/// A backend's section; the text of the key stands where TOML wants it.
struct Section<'a> {
    driver: &'a str,
    name: String,
    url: &'a str,
    user: &'a str,
    key: String,
    container: &'a str,
    more: String,
}

impl Section<'_> {
    fn text(&self) -> String {
        let Section {
            name,
            url,
            user,
            key,
            container,
            more,
            ..
        } = self;
        let options = match self.driver {
            "s3" => format!(
                "backup_driver = \"s3\"\nbackup_s3_endpoint_url = \"{url}\"\nbackup_s3_store_access_key = \"{user}\"\n\
                 backup_s3_store_secret_key = {key}\nbackup_s3_store_bucket = \"{container}\"\n\
                 backup_s3_object_size = \"2MiB\"\n"
            ),
            // Behind a front the account's URL is not what Swift believes.
            _ => format!(
                "backup_driver = \"swift\"\nbackup_swift_auth_url = \"{url}/auth/v1.0\"\nbackup_swift_user = \"{user}\"\n\
                 backup_swift_key = {key}\nbackup_swift_container = \"{container}\"\n\
                 backup_swift_url = \"{url}/v1/AUTH_test\"\nbackup_swift_object_size = \"2MiB\"\n"
            ),
        };
        format!("[backends.{name}]\n{options}grants.http = [\"{url}\"]\n{more}\n")
    }

    /// The option for a file of certificates.
    fn ca_file(driver: &str, file: &Path) -> String {
        match driver {
            "s3" => format!("backup_s3_ca_cert_file = {file:?}\n"),
            _ => format!("backup_swift_ca_cert_file = {file:?}\n"),
        }
    }
}

fn port_of(swift: &Swift) -> u16 {
    swift
        .value("swift_url")
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// Waits until the backend's status is as wanted; the status.
fn wait(service: &Service, backend: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let begin = std::time::Instant::now();
    loop {
        let status = service.get(&format!("/v1/services/{backend}"));
        if wanted(&status) {
            return status;
        }
        assert!(
            begin.elapsed() < SOON,
            "{backend} is not as wanted: {status:#}\n{}",
            service.log()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn is_up(status: &Value) -> bool {
    status["state"] == "up"
}

/// A backup of 5 MiB goes there and comes back bit for bit.
fn round_trip(service: &Service, backend: &str) {
    let (volume, target) = (service.path("volume"), service.path("restored"));
    let mut bytes = vec![0; 5 << 20];
    fastrand::Rng::with_seed(5).fill(&mut bytes);
    std::fs::write(&volume, &bytes).unwrap();
    let _ = std::fs::remove_file(&target);
    let done = service.json(&["backup", "create", volume.to_str().unwrap(), "--backend", backend]);
    assert_eq!(done["state"], "succeeded", "{backend}: {done:#}");
    let id = done["backup_id"].as_str().unwrap();
    let done = service.json(&["backup", "restore", id, target.to_str().unwrap()]);
    assert_eq!(done["state"], "succeeded", "{backend}: {done:#}");
    assert!(std::fs::read(&target).unwrap() == bytes, "{backend}");
}

#[test]
fn every_cause_reads_differently_inside_the_deadline_and_is_mended_without_a_restart() {
    let Some(swift) = Swift::start(23600) else { return };
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let world = causes::World::new(&swift, folder.path());
    // One front for each driver and cause, each in its own bad manner from the beginning.
    let mut fronts = Vec::new();
    let mut sections = String::new();
    for driver in DRIVERS {
        for cause in CAUSES {
            let front = Front::open(runtime.handle(), port_of(&swift), world.bad(cause));
            sections += &world.section(driver, cause, &front);
            fronts.push((driver, cause, front));
        }
    }
    let mut service = Service::configure(OFTEN, &sections);
    service.start();

    let mut reasons: BTreeMap<&str, BTreeMap<String, Cause>> = BTreeMap::new();
    for (driver, cause, front) in &fronts {
        let expected = cause.reads(driver);
        let status = wait(&service, &format!("{driver}-{}", cause.name()), |status| {
            status["state"] == "down"
                && status["message"]
                    .as_str()
                    .is_some_and(|text| text.contains(expected.words))
        });
        // Told by driver or host, and not by the wall clock: so it was inside the deadline.
        assert_eq!(status["code"], expected.code, "{status:#}");
        assert!(
            status["initialization_ms"].as_f64().unwrap() < 8000.0,
            "{status:#}"
        );
        assert!(!status["remedy"].as_str().unwrap().is_empty(), "{status:#}");
        // What differs only by where it happened is the same reason.
        let message = status["message"].as_str().unwrap();
        let reason = message
            .replace(&front.port().to_string(), "PORT")
            .replace(cause.container(), "CONTAINER");
        println!("{driver:5} {:18} {message}", cause.name());
        if let Some(other) = reasons.entry(driver).or_default().insert(reason, *cause) {
            panic!(
                "{driver}: {} reads like {}: {message}",
                other.name(),
                cause.name()
            );
        }
    }

    // All causes go away; where they are not in the configuration, nobody tells the service.
    for (_, cause, front) in &fronts {
        front.become_(world.good(*cause));
    }
    world.mend(&swift);
    for (driver, cause, _) in &fronts {
        if *cause != Cause::NoName {
            wait(&service, &format!("{driver}-{}", cause.name()), is_up);
        }
    }
    let nowhere = sections.replace(causes::NOWHERE, swift.value("swift_url"));
    service.rewrite(OFTEN, &nowhere);
    service.json(&["config", "reload"]);
    for driver in DRIVERS {
        wait(&service, &format!("{driver}-{}", Cause::NoName.name()), is_up);
        round_trip(&service, &format!("{driver}-{}", Cause::UnknownIssuer.name()));
    }
    let told = causes::secrets_in(&(service.log() + &service.get_text("/v1/events")));
    assert_eq!(told, Vec::<&str>::new(), "secrets were told");
    service.stop();
    println!(
        "{} drivers x {} causes, each with a reason of its own inside the deadline, all up again by themselves",
        DRIVERS.len(),
        CAUSES.len()
    );
}

#[test]
fn backups_go_through_tls_and_a_certificate_that_is_not_checked_is_told_in_the_log() {
    let Some(swift) = Swift::start(23700) else { return };
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (known, unknown) = (Authority::new("known"), Authority::new("unknown"));
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, known.pem()).unwrap();
    let front = |acceptor| Front::open(runtime.handle(), port_of(&swift), Manner::Tls(acceptor));
    let checked = front(known.acceptor(NAME, Validity::Now));
    // Wrong in every way there is.
    let wrong = front(unknown.acceptor("other.example", Validity::Past));
    let (checked_url, wrong_url) = (
        format!("https://{NAME}:{}", checked.port()),
        format!("https://{NAME}:{}", wrong.port()),
    );
    let mut sections = String::new();
    for driver in DRIVERS {
        let section = |name, url, more| Section {
            driver,
            name: format!("{driver}-{name}"),
            url,
            user: swift.value("user"),
            key: quoted(swift.value("key")),
            container: "volumebackups",
            more,
        };
        let off = match driver {
            "s3" => "backup_s3_verify_ssl = false\n",
            _ => "backup_swift_auth_insecure = true\n",
        };
        sections += &section("checked", &checked_url, Section::ca_file(driver, &file)).text();
        sections += &section("unchecked", &wrong_url, off.to_owned()).text();
    }
    let mut service = Service::configure(OFTEN, &sections);
    service.start();
    for driver in DRIVERS {
        for name in ["checked", "unchecked"] {
            let backend = format!("{driver}-{name}");
            wait(&service, &backend, is_up);
            round_trip(&service, &backend);
        }
    }
    let log = service.log();
    let warned = |backend: &str| {
        log.lines().any(|line| {
            line.contains("WARN")
                && line.contains(backend)
                && line.contains("certificates of this backend's TLS are not checked")
        })
    };
    for driver in DRIVERS {
        assert!(warned(&format!("{driver}-unchecked")), "{log}");
        assert!(!warned(&format!("{driver}-checked")), "{log}");
    }

    // The certificate expires under a running service, and is exchanged.
    checked.become_(Manner::Tls(known.acceptor(NAME, Validity::Past)));
    for driver in DRIVERS {
        // A probe that was under way may have met the end of its connection first.
        wait(&service, &format!("{driver}-checked"), |status| {
            let told = status["message"].as_str().unwrap_or_default();
            status["state"] == "down" && told.contains("expired")
        });
    }
    checked.become_(Manner::Tls(known.acceptor(NAME, Validity::Now)));
    for driver in DRIVERS {
        wait(&service, &format!("{driver}-checked"), is_up);
    }
    service.stop();
}
