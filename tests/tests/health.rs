//! `/livez`, `/readyz` and `/metrics`, as machines read them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cofferdam_tests::service::Service;

const LONG: Duration = Duration::from_secs(20);

fn posix(name: &str, folder: &str) -> String {
    format!(
        "[backends.{name}]\nbackup_driver = \"posix\"\nbackup_posix_path = \"{{folder}}/{folder}\"\n\
         grants.directories = [{{ path = \"{{folder}}/{folder}\", access = \"read-write\" }}]\n"
    )
}

fn until(service: &Service, path: &str, status: u16) -> String {
    let begin = Instant::now();
    loop {
        let (found, body) = service.look(path);
        if found == status {
            return body;
        }
        assert!(begin.elapsed() < LONG, "{path} is {found}: {body}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_backend_that_is_down_makes_the_service_unready_only_when_all_are() {
    let top = "periodic_interval = \"200ms\"";
    let mut service = Service::configure(top, &(posix("good", "a") + &posix("bad", "b")));
    service.start();
    let body = until(&service, "/readyz", 503);
    assert!(body.contains("readyz check failed"), "{body}");
    service.wait_for_all(LONG, |status| status["phase"] == "down");
    let (status, body) = service.look("/readyz");
    assert_eq!(status, 503);
    assert!(body.contains("[-]backends failed: none of 2 is up"), "{body}");
    assert!(body.contains("[+]catalog ok"), "{body}");
    assert_eq!(
        service.look("/livez"),
        (200, "ok\n".into()),
        "a restart would not help"
    );
    assert_eq!(service.look("/readyz?exclude=backends").0, 200);
    std::fs::create_dir(service.path("a")).unwrap();
    assert_eq!(until(&service, "/readyz", 200), "ok\n", "one is enough");
    let (_, body) = service.look("/readyz?verbose");
    for check in ["event-loop", "catalog", "initialization", "backends", "running"] {
        assert!(body.contains(&format!("[+]{check} ok")), "{body}");
    }
    service.stop();
}

#[test]
fn a_service_is_not_ready_before_each_first_initialisation_has_an_outcome() {
    let slow =
        "[backends.slow]\nbackup_driver = \"{drivers}/hostile/slow-setup.wasm\"\nhostile_wait = \"3s\"\n";
    let mut service = Service::configure("", &(posix("good", "a") + slow));
    std::fs::create_dir(service.path("a")).unwrap();
    service.start();
    service.wait("good", LONG, |status| status["state"] == "up");
    let (status, body) = service.look("/readyz");
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("[-]initialization failed"), "{body}");
    assert!(body.contains("[+]backends ok"), "{body}");
    until(&service, "/readyz", 200);
    service.stop();
}

/// What Prometheus' conventions ask for, and OpenMetrics' rules.
fn check_text(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with("# EOF\n"), "{text}");
    let (mut kinds, mut helps) = (BTreeMap::new(), BTreeSet::new());
    let mut samples = BTreeMap::new();
    for line in text.lines().filter(|line| *line != "# EOF") {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        if words[0] == "#" {
            let (what, name) = (words[1], words[2].to_owned());
            match what {
                "HELP" => {
                    assert!(helps.insert(name.clone()), "{name} is explained twice");
                    assert!(words.get(3).is_some_and(|help| help.len() > 5), "{line}");
                }
                "TYPE" => assert!(kinds.insert(name.clone(), words[3]).is_none(), "{name} twice"),
                "UNIT" => assert!(name.ends_with(&format!("_{}", words[3])), "{line}"),
                _ => panic!("{line}"),
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap();
        assert!(name.starts_with("cofferdam_"), "{line}");
        let family = |ending: &str| {
            name.strip_suffix(ending)
                .and_then(|family| kinds.get(family).copied())
        };
        let fits = kinds.get(name).is_some_and(|kind| *kind == "gauge")
            || family("_total") == Some("counter")
            || family("_info") == Some("info")
            || ["_bucket", "_sum", "_count"]
                .iter()
                .any(|ending| family(ending) == Some("histogram"));
        assert!(fits, "no type that fits: {line}");
        for unit in ["milliseconds", "_ms", "minutes", "kib", "mib"] {
            assert!(!name.contains(unit), "not a base unit: {line}");
        }
        let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
        assert!(
            samples.insert(series.to_owned(), value).is_none(),
            "twice: {line}"
        );
    }
    assert_eq!(kinds.keys().collect::<Vec<_>>(), helps.iter().collect::<Vec<_>>());
    samples
}

/// Asks Prometheus' own tool, which reads the older text format: counters are declared with their ending there.
fn promtool(text: &str) {
    let mut old = String::new();
    let counters: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    for line in text
        .lines()
        .filter(|line| !line.starts_with("# UNIT") && *line != "# EOF")
    {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        let line = match words[..] {
            ["#", what, name, rest] if counters.contains(name) => format!("# {what} {name}_total {rest}"),
            ["#", "TYPE", name, "info"] => format!("# TYPE {name}_info gauge"),
            ["#", "HELP", name, rest] if name == "cofferdam_build" => format!("# HELP {name}_info {rest}"),
            _ => line.to_owned(),
        };
        old.push_str(&line);
        old.push('\n');
    }
    let mut command = Command::new("promtool");
    command
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        eprintln!("SKIPPED: promtool is not here (Debian: prometheus); the rules in this test were checked");
        return;
    };
    child.stdin.take().unwrap().write_all(old.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}\n{old}");
}

#[test]
fn metrics_keep_the_conventions_and_tell_of_operations_requests_and_failures() {
    let hangs = "[backends.hangs]\nbackup_driver = \"{drivers}/hostile/spin-in-setup.wasm\"\n\
                 backup_initialization_timeout = \"300ms\"\nbackup_initialization_fuel = 1_000_000_000_000\n";
    let top = "periodic_interval = \"1s\"";
    let mut service = Service::configure(top, &(posix("good", "a") + hangs));
    std::fs::create_dir(service.path("a")).unwrap();
    service.start();
    service.wait("good", LONG, |status| {
        status["probes_succeeded"].as_u64() > Some(0)
    });
    service.wait("hangs", LONG, |status| {
        status["initializations_failed"].as_u64() > Some(0)
    });
    check_text(&service.get_text("/metrics"));
    let mut volume = vec![0; 8 << 20];
    volume[..1 << 20].fill(7);
    std::fs::write(service.path("volume"), volume).unwrap();
    let path = service.path("volume");
    let (id, _) = service.operate(
        "/v1/backups",
        &serde_json::json!({ "volume": path, "backend": "good" }),
    );
    let target = serde_json::json!({ "target": service.path("target") });
    service.operate(&format!("/v1/backups/{id}/restore"), &target);
    let again = service.begin(&format!("/v1/backups/{id}/restore"), &target);
    while service.get(&format!("/v1/operations/{again}"))["state"] == "running" {
        std::thread::sleep(Duration::from_millis(5));
    }
    service.look("/no/such/route");
    let text = service.get_text("/metrics");
    let samples = check_text(&text);
    promtool(&text);
    let sample = |series: &str| {
        let found = samples.get(&format!("cofferdam_{series}"));
        *found.unwrap_or_else(|| panic!("{series} is not in:\n{text}"))
    };
    assert_eq!(
        sample("operations_total{kind=\"create\",result=\"success\"}"),
        1.0
    );
    assert_eq!(
        sample("operations_total{kind=\"restore\",result=\"success\"}"),
        1.0
    );
    assert_eq!(
        sample("operations_total{kind=\"restore\",result=\"failure\"}"),
        1.0
    );
    assert_eq!(sample("operations_running{kind=\"create\"}"), 0.0);
    assert_eq!(sample("operations_waiting{kind=\"create\"}"), 0.0);
    assert_eq!(sample("operation_duration_seconds_count{kind=\"create\"}"), 1.0);
    let (read, skipped) = (
        sample("backup_read_bytes_total"),
        sample("backup_skipped_bytes_total"),
    );
    assert_eq!(read + skipped, f64::from(8 << 20));
    assert!(skipped >= f64::from(4 << 20) && sample("backup_stored_bytes_total") > 0.0);
    assert_eq!(sample("restore_restored_bytes_total"), f64::from(8 << 20));
    let record = service.get(&format!("/v1/backups/{id}"));
    let made: jiff::Timestamp = record["created_at"].as_str().unwrap().parse().unwrap();
    let newest = sample("backup_last_success_timestamp_seconds{backend=\"good\"}");
    assert!(
        (newest - made.as_millisecond() as f64 / 1e3).abs() < 0.01,
        "{newest}"
    );
    assert!(sample("driver_failures_total{backend=\"hangs\",code=\"wall-timeout\"}") >= 1.0);
    let durations = "backend_initialization_duration_seconds";
    assert!(
        sample(&format!(
            "{durations}_count{{backend=\"hangs\",result=\"failure\"}}"
        )) >= 1.0
    );
    assert!(
        sample(&format!(
            "{durations}_sum{{backend=\"hangs\",result=\"failure\"}}"
        )) >= 0.3
    );
    let infinite = format!("{durations}_bucket{{le=\"+Inf\",backend=\"good\",result=\"success\"}}");
    assert_eq!(sample(&infinite), 1.0);
    assert!(sample("backend_last_probe_seconds{backend=\"good\"}") > 0.0);
    let requests = |route: &str, status: u16| {
        sample(&format!(
            "http_requests_total{{method=\"GET\",route=\"{route}\",status=\"{status}\"}}"
        ))
    };
    assert!(
        requests("/v1/operations/{id}", 200) >= 1.0,
        "the route, not the path"
    );
    assert_eq!(requests("none", 400), 1.0, "a path is never a label");
    assert!(requests("/metrics", 200) >= 1.0);
    let version = format!("build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(sample(&version), 1.0);
    service.stop();
    service.start();
    let samples = check_text(&service.get_text("/metrics"));
    let newest_now = samples["cofferdam_backup_last_success_timestamp_seconds{backend=\"good\"}"];
    assert!((newest_now - newest).abs() < 0.01, "it outlives a restart");
    service.stop();
}
