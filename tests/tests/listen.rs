//! The API over TCP, plain and with TLS: who may come, what is refused with its reason, what a reload changes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};

use cofferdam_tests::authority::{Authority, Identity};
use cofferdam_tests::cofferdam;
use cofferdam_tests::service::Service;
use serde_json::Value;

const LOCALHOST: &str = "osapi_volume_listen = \"127.0.0.1\"";

fn rewrite(service: &Service, top: &str) {
    let sections = "[backends.good]\nbackup_driver = \"posix\"\nbackup_posix_path = \"{folder}/backups\"\n\
                    grants.directories = [{ path = \"{folder}/backups\", access = \"read-write\" }]\n";
    service.rewrite(top, sections);
}

/// A command against a service over the network, with no configuration.
fn remote(url: &str, more: &[&str]) -> Output {
    let mut command = Command::new(cofferdam());
    command
        .args(["--json", "--url", url, "service", "list"])
        .args(more);
    command.output().unwrap()
}

fn error_of(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().rev().find(|line| line.starts_with("{\"error\""));
    let error: Value = serde_json::from_str(line.unwrap_or_else(|| panic!("no error in {text}"))).unwrap();
    error["error"].clone()
}

fn tls(port: u16, identity: &Identity, more: &str) -> String {
    format!(
        "{LOCALHOST}\nosapi_volume_listen_port = {port}\nosapi_volume_use_ssl = true\nssl_cert_file = {:?}\n\
         ssl_key_file = {:?}\n{more}",
        identity.certificate, identity.key
    )
}

#[test]
fn the_api_answers_over_tcp_only_where_it_is_told_to() {
    let port = Service::free_port();
    let mut service = Service::posix("");
    rewrite(&service, &format!("osapi_volume_listen_port = {port}"));
    service.start();
    assert!(
        TcpStream::connect(("127.0.0.1", port)).is_err(),
        "a port alone opens nothing"
    );
    service.stop();
    rewrite(
        &service,
        &format!("{LOCALHOST}\nosapi_volume_listen_port = {port}"),
    );
    service.start();
    let listed: Value = {
        let output = remote(&format!("http://127.0.0.1:{port}"), &[]);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
    };
    assert_eq!(listed[0]["name"], "good");
    assert_eq!(
        service.get("/v1/services")[0]["name"],
        "good",
        "and the socket answers too"
    );
    service.stop();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_port_that_is_taken_is_an_error_before_any_driver_begins() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let service = Service::posix_with(&format!("{LOCALHOST}\nosapi_volume_listen_port = {port}"), "");
    let (code, error) = service.refused(&["run"]);
    assert_eq!((code, &error["code"]), (1, &"address-in-use".into()), "{error:#}");
    assert!(
        error["message"].as_str().unwrap().contains(&port.to_string()),
        "{error:#}"
    );
    assert!(
        error["remedy"]
            .as_str()
            .unwrap()
            .contains("osapi_volume_listen_port"),
        "{error:#}"
    );
    assert!(!service.path("state").exists(), "nothing was begun");
}

#[test]
fn noauth_is_not_opened_to_the_network_by_accident() {
    let port = Service::free_port();
    let open = format!("osapi_volume_listen = \"0.0.0.0\"\nosapi_volume_listen_port = {port}");
    let mut service = Service::posix_with(&open, "");
    for arguments in [&["run"][..], &["config", "check"], &["backup", "list"]] {
        let (code, error) = service.refused(arguments);
        assert_eq!(code, 3, "{error:#}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("cofferdam.toml:5:1:"), "{message}");
        assert!(message.contains("allow_noauth_on_network = true"), "{message}");
    }
    rewrite(&service, &format!("{open}\nallow_noauth_on_network = true"));
    service.start();
    assert!(remote(&format!("http://127.0.0.1:{port}"), &[]).status.success());
    service.stop();
    assert!(
        service.log().contains("without authentication"),
        "{}",
        service.log()
    );
}

#[test]
fn with_tls_only_those_who_know_the_authority_are_answered() {
    let (authority, other) = (Authority::new("the authority"), Authority::new("another"));
    let port = Service::free_port();
    let mut service = Service::posix("");
    let identity = authority.issue(service.folder(), "server", "127.0.0.1");
    rewrite(&service, &tls(port, &identity, ""));
    let file = |name: &str, pem: String| {
        std::fs::write(service.path(name), pem).unwrap();
        service.path(name).to_string_lossy().into_owned()
    };
    let (ca, wrong) = (file("ca", authority.pem()), file("wrong", other.pem()));
    service.start();
    let url = format!("https://127.0.0.1:{port}");
    assert!(remote(&url, &["--cacert", &ca]).status.success());
    let refused = remote(&url, &["--cacert", &wrong]);
    let error = error_of(&refused);
    assert_eq!(error["code"], "unreachable", "{error:#}");
    assert!(
        error["remedy"].as_str().unwrap().contains("--cacert"),
        "{error:#}"
    );
    assert!(!remote(&url, &[]).status.success(), "the system does not know it");
    let plain = remote(&format!("http://127.0.0.1:{port}"), &[]);
    assert!(!plain.status.success(), "plain text is not answered");
    service.stop();
}

#[test]
fn where_clients_must_show_a_certificate_others_are_not_answered() {
    let (authority, clients) = (Authority::new("servers"), Authority::new("clients"));
    let port = Service::free_port();
    let mut service = Service::posix("");
    let identity = authority.issue(service.folder(), "server", "127.0.0.1");
    std::fs::write(service.path("ca"), authority.pem()).unwrap();
    std::fs::write(service.path("clients"), clients.pem()).unwrap();
    rewrite(
        &service,
        &tls(port, &identity, "ssl_ca_file = \"{folder}/clients\""),
    );
    service.start();
    let (url, ca) = (format!("https://127.0.0.1:{port}"), service.path("ca"));
    let ca = ca.to_str().unwrap();
    let with = |identity: &Identity| {
        let (cert, key) = (
            identity.certificate.to_str().unwrap(),
            identity.key.to_str().unwrap(),
        );
        remote(&url, &["--cacert", ca, "--cert", cert, "--key", key])
            .status
            .success()
    };
    let good = clients.issue(service.folder(), "client", "somebody");
    let bad = authority.issue(service.folder(), "stranger", "somebody");
    assert!(with(&good));
    assert!(!with(&bad), "of another authority");
    assert!(!remote(&url, &["--cacert", ca]).status.success(), "of none");
    service.stop();
}

#[test]
fn files_of_tls_that_are_not_what_they_should_be_are_named_with_what_is_wrong() {
    let authority = Authority::new("the authority");
    let service = Service::posix("");
    let folder = service.folder();
    let identity = authority.issue(folder, "server", "127.0.0.1");
    let other = authority.issue(folder, "other", "127.0.0.1");
    std::fs::write(service.path("empty"), "").unwrap();
    let damaged = std::fs::read_to_string(&identity.certificate)
        .unwrap()
        .replace('M', "*");
    std::fs::write(service.path("damaged"), damaged).unwrap();
    let sealed = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    std::fs::write(service.path("sealed"), sealed).unwrap();
    let path = |name: &str| service.path(name);
    for (certificate, key, file, words) in [
        (path("missing"), identity.key.clone(), "missing", "No such file"),
        (path("empty"), identity.key.clone(), "empty", "no certificate"),
        (path("damaged"), identity.key.clone(), "damaged", "damaged"),
        (identity.certificate.clone(), path("empty"), "empty", "none in it"),
        (
            identity.certificate.clone(),
            path("sealed"),
            "sealed",
            "passphrase",
        ),
        (
            identity.certificate.clone(),
            other.key.clone(),
            "other.key",
            "not that of the certificate",
        ),
    ] {
        let identity = Identity { certificate, key };
        rewrite(&service, &tls(Service::free_port(), &identity, ""));
        let (code, error) = service.refused(&["run"]);
        let message = error["message"].as_str().unwrap();
        assert_eq!(code, 3, "{message}");
        assert!(message.contains(file), "{file} is not in: {message}");
        assert!(
            message.to_lowercase().contains(&words.to_lowercase()),
            "{words} is not in: {message}"
        );
        assert!(!error["remedy"].as_str().unwrap().is_empty());
    }
}

#[test]
fn a_reload_takes_a_new_certificate_and_keeps_the_old_one_when_the_new_one_is_bad() {
    let (first, second) = (Authority::new("first"), Authority::new("second"));
    let port = Service::free_port();
    let mut service = Service::posix("");
    let identity = first.issue(service.folder(), "server", "127.0.0.1");
    std::fs::write(service.path("first"), first.pem()).unwrap();
    std::fs::write(service.path("second"), second.pem()).unwrap();
    rewrite(&service, &tls(port, &identity, ""));
    service.start();
    let url = format!("https://127.0.0.1:{port}");
    let known = |service: &Service, ca: &str| {
        remote(&url, &["--cacert", service.path(ca).to_str().unwrap()])
            .status
            .success()
    };
    assert!(known(&service, "first"));
    std::fs::write(&identity.certificate, "nonsense").unwrap();
    let (code, error) = service.refused(&["config", "reload"]);
    assert_eq!((code, &error["code"]), (3, &"configuration".into()), "{error:#}");
    assert!(known(&service, "first"), "the old one stays");
    second.issue(service.folder(), "server", "127.0.0.1");
    service.json(&["config", "reload"]);
    assert!(known(&service, "second"));
    assert!(!known(&service, "first"));
    rewrite(&service, &tls(port + 1, &identity, "backup_workers = 3"));
    let reloaded = service.json(&["config", "reload"]);
    let later = reloaded["needs_restart"].to_string();
    assert!(
        later.contains("osapi_volume_listen_port") && later.contains("backup_workers"),
        "{later}"
    );
    service.stop();
}

#[test]
fn more_connections_than_allowed_wait_until_one_ends() {
    let port = Service::free_port();
    let top = format!("{LOCALHOST}\nosapi_volume_listen_port = {port}\nosapi_max_connections = 2");
    let mut service = Service::posix_with(&top, "");
    service.start();
    let connect = || TcpStream::connect(("127.0.0.1", port)).unwrap();
    let get = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    let answered = |stream: &mut TcpStream| {
        let mut bytes = [0; 1024];
        stream
            .read(&mut bytes)
            .is_ok_and(|n| bytes[..n].starts_with(b"HTTP/1.1 200"))
    };
    let mut held = [connect(), connect()];
    for stream in &mut held {
        stream.write_all(get).unwrap();
        assert!(answered(stream));
    }
    let mut third = connect();
    third.write_all(get).unwrap();
    third.set_nonblocking(true).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(!answered(&mut third), "both places are held");
    drop(held);
    third.set_nonblocking(false).unwrap();
    assert!(answered(&mut third), "now there is one");
    service.stop();
}
