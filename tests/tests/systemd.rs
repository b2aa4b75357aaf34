//! What systemd is told, over a socket of the test in systemd's place; and how the service stops.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests"
)]

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use cofferdam_tests::service::Service;
use serde_json::Value;

const LONG: Duration = Duration::from_secs(60);

/// systemd, as far as the service sees it.
struct Systemd {
    socket: UnixDatagram,
    told: Vec<String>,
}

impl Systemd {
    fn start(service: &mut Service, watchdog: &str) -> Self {
        let path = service.path("notify");
        let _ = std::fs::remove_file(&path);
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        service.start_with(|mut command| {
            command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", watchdog);
            command
        });
        Systemd {
            socket,
            told: Vec::new(),
        }
    }

    /// Waits for a message that holds this line, and gives it.
    fn wait(&mut self, line: &str) -> String {
        let begin = Instant::now();
        loop {
            let mut bytes = [0; 4096];
            let n = self
                .socket
                .recv(&mut bytes)
                .unwrap_or_else(|_| panic!("no {line} in {:#?}", self.told));
            let message = String::from_utf8_lossy(&bytes[..n]).into_owned();
            self.told.push(message.clone());
            if message.lines().any(|told| told.starts_with(line)) {
                return message;
            }
            assert!(begin.elapsed() < LONG, "no {line} in {:#?}", self.told);
        }
    }

    fn never(&self, line: &str) {
        let told = self
            .told
            .iter()
            .any(|told| told.lines().any(|told| told.starts_with(line)));
        assert!(!told, "{line} in {:#?}", self.told);
    }
}

/// A volume that compresses slowly: so many MiB, of which each takes about a tenth of a second.
fn slow_volume(service: &Service, mib: usize) -> String {
    let mut chance = fastrand::Rng::with_seed(7);
    let bytes: Vec<u8> = (0..mib << 20).map(|_| chance.alphanumeric() as u8).collect();
    std::fs::write(service.path("volume"), bytes).unwrap();
    service.path("volume").to_string_lossy().into_owned()
}

const SLOW: &str = "backup_file_size = \"1MiB\"\nbackup_compression_algorithm = \"bz2\"\n";

fn begin(service: &Service, volume: &str) -> String {
    service.wait("good", LONG, |status| status["state"] == "up");
    let begun = service.json(&["backup", "create", volume, "--no-wait"]);
    let operation = begun["id"].as_str().unwrap().to_owned();
    let begin = Instant::now();
    while service.get(&format!("/v1/operations/{operation}"))["bytes_done"] == 0 {
        assert!(begin.elapsed() < LONG, "it does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    begun["backup_id"].as_str().unwrap().to_owned()
}

#[test]
fn systemd_is_told_of_the_whole_life() {
    let mut service = Service::posix("");
    std::fs::rename(service.backups(), service.path("away")).unwrap();
    let mut systemd = Systemd::start(&mut service, "200000");
    let ready = systemd.wait("READY=1");
    assert!(ready.contains("STATUS=0 backends up, 1 down"), "{ready}");
    assert_eq!(
        systemd.told.len(),
        1,
        "nothing comes before it: {:?}",
        systemd.told
    );
    systemd.wait("WATCHDOG=1");
    std::fs::rename(service.path("away"), service.backups()).unwrap();
    systemd.wait("STATUS=1 backend up, 0 down");

    service.signal("HUP");
    let reloading = systemd.wait("RELOADING=1");
    let stamp = reloading
        .lines()
        .find_map(|line| line.strip_prefix("MONOTONIC_USEC="));
    let stamp: f64 = stamp.unwrap_or_else(|| panic!("{reloading}")).parse().unwrap();
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    assert!(
        (stamp / 1e6 - uptime).abs() < 60.0,
        "{stamp} is not near {uptime} s"
    );
    systemd.wait("READY=1");

    std::fs::write(service.config(), "nonsense").unwrap();
    service.signal("HUP");
    systemd.wait("RELOADING=1");
    let ready = systemd.wait("READY=1");
    assert!(ready.contains("failed and changed nothing"), "{ready}");

    systemd.never("STOPPING=1");
    service.signal("TERM");
    let stopping = systemd.wait("STOPPING=1");
    assert!(stopping.contains("EXTEND_TIMEOUT_USEC="), "{stopping}");
    assert_eq!(service.ended(), Some(0), "{}", service.log());
}

#[test]
fn without_systemd_nothing_is_sent() {
    let mut service = Service::posix("");
    service.start_with(|mut command| {
        command.env_remove("NOTIFY_SOCKET").env("RUST_LOG", "debug");
        command
    });
    service.signal("HUP");
    service.wait("good", LONG, |status| status["state"] == "up");
    service.stop();
    assert!(!service.log().contains("systemd"), "{}", service.log());
}

#[test]
fn a_stop_lets_a_backup_end_and_whoever_waits_for_it_sees_it() {
    let mut service = Service::posix_with("transfer_parallelism = 1", SLOW);
    let volume = slow_volume(&service, 24);
    let mut systemd = Systemd::start(&mut service, "0");
    service.wait("good", LONG, |status| status["state"] == "up");
    let create = ["--json", "backup", "create", &volume, "--name", "waited-for"];
    let waiting = service
        .command(&create)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    while service.get("/v1/operations").as_array().unwrap().is_empty() {
        assert!(begin.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(5));
    }
    service.signal("TERM");
    let stopping = systemd.wait("STOPPING=1");
    assert!(
        stopping.contains("STATUS=stopping, 1 operations run"),
        "{stopping}"
    );
    let (code, error) = service.refused(&["backup", "create", &volume]);
    assert_eq!((code, &error["code"]), (1, &"stopping".into()), "{error:#}");
    let (status, body) = service.look("/readyz");
    assert_eq!(status, 503);
    assert!(
        body.contains("[-]running failed: the service is stopping"),
        "{body}"
    );
    assert_eq!(service.look("/livez").0, 200);
    let output = waiting.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let done: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(done["state"], "succeeded", "{done:#}");
    assert_eq!(service.ended(), Some(0), "{}", service.log());
    let listed = service.json(&["backup", "list"]);
    assert_eq!(listed[0]["status"], "available", "{listed:#}");
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed:#}");
}

#[test]
fn what_does_not_end_in_time_is_cancelled_and_goes_on_at_the_next_start() {
    let top = "transfer_parallelism = 1\ngraceful_shutdown_timeout = \"200ms\"";
    let mut service = Service::posix_with(top, SLOW);
    let volume = slow_volume(&service, 48);
    service.start();
    let id = begin(&service, &volume);
    service.stop();
    assert!(
        service.log().contains("operations are cancelled"),
        "{}",
        service.log()
    );
    service.start();
    let path = format!("/v1/backups/{id}");
    assert_eq!(service.get(&path)["status"], "creating");
    let begin = Instant::now();
    while service.get(&path)["status"] == "creating" {
        assert!(begin.elapsed() < LONG * 2, "it does not go on");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(service.get(&path)["status"], "available");
    service.stop();
}

#[test]
fn a_second_signal_aborts() {
    let mut service = Service::posix_with("transfer_parallelism = 1", SLOW);
    let volume = slow_volume(&service, 256);
    let mut systemd = Systemd::start(&mut service, "0");
    begin(&service, &volume);
    service.signal("INT");
    systemd.wait("STOPPING=1");
    service.signal("TERM");
    assert_eq!(service.ended(), Some(130), "{}", service.log());
}

#[test]
fn the_unit_is_one_that_systemd_understands() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/cofferdam.service");
    let text = std::fs::read_to_string(unit).unwrap();
    let Ok(version) = Command::new("systemd-analyze").arg("--version").output() else {
        eprintln!("SKIPPED: systemd-analyze is not here (Debian: systemd)");
        return;
    };
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let number = version
        .split_whitespace()
        .nth(1)
        .and_then(|number| number.parse::<u32>().ok());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cofferdam.service");
    // Program and pages are not installed here; and what systemd learnt in 253 is left out before.
    let mut text = text.replace("/usr/bin/cofferdam", "/bin/true");
    text = text
        .lines()
        .filter(|line| !line.starts_with("Documentation="))
        .fold(String::new(), |mut all, line| {
            all.push_str(line);
            all.push('\n');
            all
        });
    if number.is_some_and(|number| number < 253) {
        eprintln!("SKIPPED in part: systemd {number:?} does not know notify-reload");
        text = text.replace("Type=notify-reload", "Type=notify");
    }
    std::fs::write(&file, text).unwrap();
    let output = Command::new("systemd-analyze")
        .arg("verify")
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && !said.contains("cofferdam.service"),
        "{said}"
    );
}
