//! The service watched from outside: reload, history, webhook, metrics, and what is told when no service runs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use cofferdam_tests::service::Service;
use serde_json::Value;

const TOP: &str = "periodic_interval = \"1s\"\nreport_interval = \"200ms\"\nservice_down_time = \"5s\"\n";

fn posix(name: &str, folder: &str, options: &str) -> String {
    format!(
        "[backends.{name}]\nbackup_driver = \"posix\"\nbackup_posix_path = \"{{folder}}/{folder}\"\n\
         grants.directories = [{{ path = \"{{folder}}\", access = \"read-write\" }}]\n{options}\n"
    )
}

fn up(status: &Value) -> bool {
    status["state"] == "up"
}

#[test]
fn a_reload_changes_what_differs_and_a_bad_file_changes_nothing() {
    let mut service = Service::configure(
        TOP,
        &(posix("same", "a", "") + &posix("moved", "a", "") + &posix("gone", "a", "")),
    );
    for folder in ["a", "b"] {
        std::fs::create_dir(service.path(folder)).unwrap();
    }
    service.start();
    for name in ["same", "moved", "gone"] {
        service.wait(name, Duration::from_secs(10), up);
    }
    // Refused: not TOML, an option that its driver does not have, an unknown driver; each names its line.
    for (sections, words) in [
        ("[backends.same\n".to_owned(), "cofferdam.toml:"),
        (posix("same", "b", "backup_posix_speed = 3"), "no such option"),
        (
            "[backends.same]\nbackup_driver = \"nobody\"\n".to_owned(),
            "no driver",
        ),
    ] {
        service.rewrite(TOP, &sections);
        let (code, error) = service.refused(&["config", "reload"]);
        assert_eq!((code, &error["code"]), (3, &"configuration".into()), "{error:#}");
        assert!(error["message"].as_str().unwrap().contains(words), "{error:#}");
    }
    service.rewrite(
        &format!("{TOP}event_history = 999"),
        &(posix("same", "a", "") + &posix("moved", "b", "") + &posix("new", "b", "")),
    );
    let done = service.json(&["config", "reload"]);
    let names = |what: &str| {
        done[what]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("unchanged"), ["same"], "{done:#}");
    assert_eq!(names("changed"), ["moved"], "{done:#}");
    assert_eq!(names("added"), ["new"], "{done:#}");
    assert_eq!(names("removed"), ["gone"], "{done:#}");
    assert_eq!(names("needs_restart"), ["event_history"], "{done:#}");
    service.wait("new", Duration::from_secs(5), up);
    service.wait("moved", Duration::from_secs(5), |status| {
        up(status) && status["initializations_succeeded"] == 2
    });
    assert_eq!(service.status("same")["initializations_succeeded"], 1);
    assert_eq!(service.refused(&["service", "show", "gone"]).0, 4);

    // The same by signal.
    service.rewrite(TOP, &posix("same", "b", ""));
    let told = std::process::Command::new("kill")
        .args(["-HUP", &service.pid().to_string()])
        .status();
    assert!(told.unwrap().success());
    service.wait("same", Duration::from_secs(5), |status| {
        up(status) && status["initializations_succeeded"] == 2
    });
    service.stop();
}

#[test]
fn what_happens_is_in_the_history_also_when_no_service_runs() {
    let mut service = Service::configure(TOP, &posix("a", "mount/a", ""));
    assert_eq!(service.status("a")["code"], "not-running", "never run");
    service.start();
    service.wait("a", Duration::from_secs(10), |status| status["phase"] == "down");
    std::fs::create_dir_all(service.path("mount/a")).unwrap();
    service.wait("a", Duration::from_secs(5), up);
    service.stop();

    let down = service.status("a");
    assert_eq!(
        (&down["state"], &down["code"]),
        (&"down".into(), &"not-running".into()),
        "{down:#}"
    );
    let events = service.json(&["service", "events", "a"]);
    let kinds: Vec<_> = events
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    for kind in [
        "initialize.start",
        "initialize.failure",
        "initialize.success",
        "state",
    ] {
        assert!(
            kinds.contains(&format!("backup.backend.{kind}").as_str()),
            "{kind}: {kinds:?}"
        );
    }
    // Every change of phase is there, each from where the last one ended.
    let mut phase = "pending".to_owned();
    for event in events
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["type"] == "backup.backend.state")
    {
        assert_eq!(event["data"]["from"], phase.as_str(), "{events:#}");
        phase = event["data"]["to"].as_str().unwrap().to_owned();
    }
    assert_eq!(phase, "down");
    let (code, _) = service.refused(&["service", "reinitialize", "a"]);
    assert_eq!(code, 1);
}

#[test]
fn without_periodic_initialisation_a_backend_waits_for_the_command() {
    let mut service = Service::configure(
        TOP,
        &posix("a", "mount/a", "backup_periodic_initialization = false"),
    );
    service.start();
    let down = service.wait("a", Duration::from_secs(10), |status| status["phase"] == "down");
    assert_eq!(down["next_try"], Value::Null);
    assert!(
        down["initialization_fuel"].is_u64() && down["initialization_ms"].is_f64(),
        "{down:#}"
    );
    assert_eq!(service.refused(&["service", "reinitialize", "a", "--wait"]).0, 5);
    std::fs::create_dir_all(service.path("mount/a")).unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(service.status("a")["state"], "down");
    service.json(&["service", "reinitialize", "a", "--wait"]);
    assert!(up(&service.status("a")));
    service.stop();
}

/// A receiver that answers as it is told, and passes on what it got.
fn receiver(answers: &'static [&'static str]) -> (u16, mpsc::Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, received) = mpsc::channel();
    std::thread::spawn(move || {
        let mut answers = answers.iter().chain(std::iter::repeat(&"204 No Content"));
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = Vec::new();
            let mut buffer = [0; 4096];
            let (head, body) = loop {
                let read = stream.read(&mut buffer).unwrap();
                bytes.extend_from_slice(&buffer[..read]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n") {
                    let length = head.to_lowercase().lines().find_map(|line| {
                        line.strip_prefix("content-length: ")
                            .map(|length| length.parse::<usize>().unwrap())
                    });
                    if body.len() == length.unwrap() {
                        break (head.to_owned(), body.to_owned());
                    }
                }
                assert!(read > 0, "the request broke off");
            };
            let answer = answers.next().unwrap();
            write!(
                stream,
                "HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            .unwrap();
            if sender.send((head, serde_json::from_str(&body).unwrap())).is_err() {
                return;
            }
        }
    });
    (port, received)
}

#[test]
fn a_webhook_gets_every_event_as_a_cloudevent_and_a_dead_one_delays_nothing() {
    let (port, received) = receiver(&["503 Service Unavailable", "429 Too Many Requests"]);
    let top = format!(
        "{TOP}event_webhook = \"http://127.0.0.1:{port}/hook\"\nevent_webhook_token_file = \"{{folder}}/token\""
    );
    let mut service = Service::configure(&top, &posix("a", "a", ""));
    std::fs::create_dir(service.path("a")).unwrap();
    std::fs::write(service.path("token"), "canary-token\n").unwrap();
    service.start();
    service.wait("a", Duration::from_secs(10), up);
    let mut ids = Vec::new();
    let mut kinds = Vec::new();
    while kinds
        .last()
        .is_none_or(|kind| kind != "backup.backend.initialize.success")
    {
        let (head, event) = received.recv_timeout(Duration::from_secs(10)).unwrap();
        let head = head.to_lowercase();
        assert!(
            head.contains("content-type: application/cloudevents+json"),
            "{head}"
        );
        assert!(head.contains("authorization: bearer canary-token"), "{head}");
        assert_eq!(
            (&event["specversion"], &event["subject"]),
            (&"1.0".into(), &"a".into()),
            "{event:#}"
        );
        assert_eq!(event["data"]["type"], event["type"], "{event:#}");
        assert!(
            event["source"].as_str().unwrap().starts_with("/cofferdam/"),
            "{event:#}"
        );
        ids.push(event["id"].to_string());
        kinds.push(event["type"].as_str().unwrap().to_owned());
    }
    assert!(
        ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3],
        "one id for all tries of an event: {ids:?}"
    );
    assert!(!service.log().contains("canary-token"));
    service.stop();

    // A receiver that takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let top = format!(
        "{TOP}event_webhook = \"http://{}/\"",
        silent.local_addr().unwrap()
    );
    service.rewrite(&top, &posix("a", "a", ""));
    service.start();
    service.wait("a", Duration::from_secs(2), up);
    let begin = std::time::Instant::now();
    service.stop();
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
}

#[test]
fn metrics_tell_of_every_backend() {
    let mut service = Service::configure(TOP, &(posix("good", "a", "") + &posix("bad", "missing", "")));
    std::fs::create_dir(service.path("a")).unwrap();
    service.start();
    service.wait("good", Duration::from_secs(10), up);
    service.wait("bad", Duration::from_secs(10), |status| status["phase"] == "down");
    let text = service.get_text("/metrics");
    for line in [
        "cofferdam_backend_up{backend=\"good\"} 1.0",
        "cofferdam_backend_up{backend=\"bad\"} 0.0",
        "cofferdam_backend_reason{backend=\"bad\",code=\"host\"} 1.0",
        "cofferdam_backend_phase{backend=\"good\",phase=\"up\"} 1.0",
        "cofferdam_backend_initializations_total{backend=\"good\",result=\"success\"} 1",
        "cofferdam_driver_threads_ending",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} is not in:\n{text}");
    }
    service.stop();
}

#[test]
fn a_service_killed_while_it_initialises_starts_again_and_never_reads_up_without_a_success() {
    const KILLS: usize = 200;
    let slow = "[backends.slow]\nbackup_driver = \"{drivers}/hostile/slow-setup.wasm\"\nhostile_wait = \"40ms\"\n\
                [backends.hangs]\nbackup_driver = \"{drivers}/hostile/spin-in-setup.wasm\"\n\
                backup_initialization_fuel = 1_000_000_000_000_000\n";
    let mut service = Service::configure(TOP, slow);
    service.start();
    service.wait("slow", Duration::from_secs(20), up);
    service.kill();
    let mut state = std::process::id() as u64;
    let mut ups = 0;
    for kill in 0..KILLS {
        service.start();
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_millis((state >> 33) % 60));
        if kill % 4 == 0 {
            let status = service.status("slow");
            let succeeded = status["initializations_succeeded"].as_u64().unwrap();
            assert_eq!(up(&status), succeeded > 0, "{status:#}");
            ups += usize::from(up(&status));
            assert_eq!(service.status("hangs")["state"], "down");
        }
        service.kill();
        if kill % 4 == 2 {
            assert_eq!(service.status("slow")["code"], "not-running");
        }
    }
    println!("{KILLS} kills, {KILLS} starts, {ups} looks at a backend that was up, 0 false");
}
