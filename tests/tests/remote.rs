//! The command line against a service that is named by its URL, without a configuration.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use cofferdam_tests::cofferdam;
use cofferdam_tests::service::Service;
use serde_json::Value;

const LONG: Duration = Duration::from_secs(30);

/// A service that listens over TCP, and its URL.
fn listening(more: &str) -> (Service, String) {
    let port = Service::free_port();
    let top = format!("osapi_volume_listen = \"127.0.0.1\"\nosapi_volume_listen_port = {port}");
    let mut service = Service::posix_with(&top, more);
    service.start();
    service.wait("good", LONG, |status| status["state"] == "up");
    (service, format!("http://127.0.0.1:{port}"))
}

fn command(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(cofferdam());
    command
        .args(["--config", "/no/such/file", "--url", url, "--json"])
        .args(arguments)
        .env_remove("COFFERDAM_URL");
    command
}

fn json(url: &str, arguments: &[&str]) -> Value {
    let output = command(url, arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(output: &Output) -> (i32, Value) {
    let text = String::from_utf8_lossy(&output.stderr);
    let error: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    (output.status.code().unwrap(), error["error"].clone())
}

#[test]
fn every_command_works_over_the_network_and_over_the_socket_without_a_configuration() {
    let (mut service, tcp) = listening("");
    let socket = format!("unix://{}", service.path("state/api.sock").display());
    std::fs::write(service.path("volume"), vec![7; 3 << 20]).unwrap();
    for (round, url) in [&tcp, &socket].into_iter().enumerate() {
        let path = |name: &str| service.path(name).to_string_lossy().into_owned();
        let made = json(url, &["backup", "create", &path("volume"), "--name", "far"]);
        assert_eq!(made["state"], "succeeded", "{made:#}");
        assert_eq!(
            (&made["backend"], made["volume"].as_str()),
            (&"good".into(), Some(path("volume").as_str()))
        );
        let id = made["backup_id"].as_str().unwrap();
        assert_eq!(json(url, &["backup", "list"])[0]["id"], id);
        assert_eq!(json(url, &["backup", "show", id])["name"], "far");
        assert_eq!(json(url, &["backup", "verify", id])["state"], "succeeded");
        let target = path(&format!("target-{round}"));
        json(url, &["backup", "restore", id, &target]);
        assert!(std::fs::read(&target).unwrap() == std::fs::read(path("volume")).unwrap());
        assert!(json(url, &["backup", "export", id])["backup_url"].is_string());
        assert_eq!(
            json(url, &["backup", "orphans", "--backend", "good"]),
            serde_json::json!([])
        );
        json(url, &["backup", "delete", id]);
        assert_eq!(json(url, &["service", "list"])[0]["name"], "good");
        assert_eq!(json(url, &["service", "show", "good"])["state"], "up");
        assert!(!json(url, &["service", "events"]).as_array().unwrap().is_empty());
        assert_eq!(
            json(url, &["service", "reinitialize", "good", "--wait"])["state"],
            "up"
        );
        assert_eq!(json(url, &["config", "reload"])["unchanged"][0], "good");
        let unknown = command(url, &["service", "show", "a/b c"]).output().unwrap();
        assert_eq!(refused(&unknown).0, 4, "a name is only ever a name");
    }
    service.stop();
}

#[test]
fn a_path_for_a_service_elsewhere_is_not_made_a_path_of_this_folder() {
    let (mut service, tcp) = listening("");
    std::fs::write(service.path("volume"), vec![7; 1 << 20]).unwrap();
    let create = |url: &str| {
        let mut command = command(url, &["backup", "create", "volume"]);
        command.current_dir(service.folder()).output().unwrap()
    };
    let (code, error) = refused(&create(&tcp));
    assert_eq!(code, 1);
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("the volume volume is"),
        "{error:#}"
    );
    let socket = format!("unix://{}", service.path("state/api.sock").display());
    assert!(
        create(&socket).status.success(),
        "over the socket it is this machine's"
    );
    service.stop();
}

#[test]
fn a_service_that_is_not_there_is_told_with_its_url() {
    let url = format!("http://127.0.0.1:{}", Service::free_port());
    let (code, error) = refused(&command(&url, &["service", "list"]).output().unwrap());
    assert_eq!((code, &error["code"]), (1, &"unreachable".into()), "{error:#}");
    assert!(error["message"].as_str().unwrap().contains(&url), "{error:#}");
    let wrong = command("ftp://x", &["service", "list"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(said.contains("https://HOST:PORT"), "{said}");
}

#[test]
fn what_answers_but_is_no_service_is_not_believed() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", other.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = other.accept().unwrap();
        let mut head = [0; 4096];
        let n = stream.read(&mut head).unwrap();
        stream
            .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nhello")
            .unwrap();
        String::from_utf8_lossy(&head[..n]).into_owned()
    });
    let mut command = command(&format!("{url}/behind/a/proxy/"), &["service", "list"]);
    let output = command.env("COFFERDAM_TOKEN", "me:mine").output().unwrap();
    let (_, error) = refused(&output);
    assert!(error["message"].as_str().unwrap().contains("404"), "{error:#}");
    let head = served.join().unwrap();
    assert!(
        head.starts_with("GET /behind/a/proxy/v1/services HTTP/1.1"),
        "{head}"
    );
    assert!(head.contains("x-auth-token: me:mine"), "{head}");
}

/// Reads documents of a `watch` until one is as wanted.
fn until(
    lines: &mut impl Iterator<Item = std::io::Result<String>>,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    let mut seen = Vec::new();
    for line in lines {
        let line = line.unwrap();
        let document: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no document: {line}"));
        if wanted(&document) {
            return document;
        }
        seen.push(line);
    }
    panic!("not seen in {seen:#?}");
}

#[test]
fn watch_shows_operations_from_begin_to_end_and_backends_that_change() {
    let (mut service, url) = listening("");
    let mut watch = command(&url, &["watch"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    until(&mut lines, |document| document["service"]["name"] == "good");
    std::fs::write(service.path("volume"), vec![7; 3 << 20]).unwrap();
    let path = service.path("volume").to_string_lossy().into_owned();
    let made = json(&url, &["backup", "create", &path]);
    let ended = until(&mut lines, |document| {
        document["operation"]["state"] == "succeeded"
    });
    assert_eq!(ended["operation"]["id"], made["id"]);
    assert_eq!(
        (&ended["operation"]["backend"], &ended["operation"]["volume"]),
        (&"good".into(), &path.into())
    );
    assert!(ended["operation"]["summary"].is_string());
    std::fs::rename(service.backups(), service.path("away")).unwrap();
    service.post("/v1/services/good/reinitialize", 202);
    let down = until(&mut lines, |document| document["service"]["state"] == "down");
    assert_eq!(down["service"]["code"], "host", "{down:#}");
    watch.kill().unwrap();
    watch.wait().unwrap();
    let idle = json(&url, &["service", "list"]);
    assert_eq!(idle[0]["state"], "down");
    assert!(
        command(&url, &["watch", "--until-idle"])
            .output()
            .unwrap()
            .status
            .success()
    );
    let mut plain = Command::new(cofferdam());
    let plain = plain
        .args(["--url", &url, "watch", "--until-idle"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&plain.stdout).into_owned();
    assert!(
        said.contains("watching: 0 operations running, 0 of 1 backend up"),
        "{said}"
    );
    assert!(said.contains("backend good is down, host: "), "{said}");
    service.stop();
}
