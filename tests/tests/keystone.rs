//! The swift driver with a real Keystone before a real Swift: password and application credential, and tokens that end while they
//! are in use, by their time and by revocation.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests, and figures that are part of what they show"
)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use cofferdam_tests::servers::Swift;
use cofferdam_tests::service::Service;
use serde_json::{Value, json};

const BACKENDS: [&str; 2] = ["password", "application"];
const SOON: Duration = Duration::from_secs(120);

/// Seconds that a token holds; the driver takes a new one a tenth before.
const TOKEN_LIFE: u32 = 40;

/// Bytes of the volume, and objects that they make.
const SIZE: usize = 6 << 20;
const OBJECTS: u64 = 6;

fn sections(swift: &Swift, password: &str) -> String {
    let keystone = swift.value("keystone_url");
    let common = format!(
        "backup_driver = \"swift\"\nbackup_swift_auth_url = \"{keystone}\"\nbackup_swift_auth_version = 3\n\
         backup_swift_region_name = \"{}\"\nbackup_swift_object_size = \"1MiB\"\n\
         grants.http = [\"{}\", \"{}\"]\n",
        swift.value("region"),
        keystone.trim_end_matches("/v3"),
        swift.value("swift_url"),
    );
    format!(
        "[backends.password]\n{common}backup_swift_user = \"{}\"\nbackup_swift_key = {password}\n\
         backup_swift_project = \"{}\"\nbackup_swift_user_domain = \"{domain}\"\nbackup_swift_project_domain = \"{domain}\"\n\
         [backends.application]\n{common}backup_swift_application_credential_id = \"{}\"\n\
         backup_swift_application_credential_secret = \"{}\"\n",
        swift.value("user"),
        swift.value("project"),
        swift.value("application_credential_id"),
        swift.value("application_credential_secret"),
        domain = swift.value("domain"),
    )
}

/// A request to Keystone as its deployer makes it: the token that the answer's head holds, and its body.
fn ask(keystone: &str, method: &str, path: &str, token: Option<&str>, body: &Value) -> (String, Value) {
    let (authority, base) = keystone.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let token = token.map_or_else(String::new, |token| format!("x-auth-token: {token}\r\n"));
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let mut stream = TcpStream::connect(authority).unwrap();
    let request = format!(
        "{method} /{base}{path} HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/json\r\n{token}\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 2"), "{method} {path}: {answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let token = lines.find(|(name, _)| name.eq_ignore_ascii_case("x-subject-token"));
    let token = token.map_or("", |(_, value)| value).to_owned();
    (token, serde_json::from_str(body).unwrap_or_default())
}

/// Ends all tokens of the backups' user: what Keystone does when it is given a password.
fn revoke_all(swift: &Swift) {
    let keystone = swift.value("keystone_url");
    let login = json!({ "auth": {
        "identity": { "methods": ["password"], "password": {
            "user": { "name": "admin", "domain": { "id": "default" }, "password": "admin" } } },
        "scope": { "project": { "name": "admin", "domain": { "id": "default" } } } } });
    let (token, _) = ask(keystone, "POST", "/auth/tokens", None, &login);
    let name = format!("/users?name={}", swift.value("user"));
    let (_, users) = ask(keystone, "GET", &name, Some(&token), &Value::Null);
    let path = format!("/users/{}", users["users"][0]["id"].as_str().unwrap());
    let body = json!({ "user": { "password": swift.value("password") } });
    ask(keystone, "PATCH", &path, Some(&token), &body);
}

fn fill(volume: &Path, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; SIZE];
    fastrand::Rng::with_seed(seed).fill(&mut bytes);
    std::fs::write(volume, &bytes).unwrap();
    bytes
}

fn restore(service: &Service, id: &str, content: &[u8]) {
    let target = service.path("restored");
    let _ = std::fs::remove_file(&target);
    let done = service.json(&["backup", "restore", id, target.to_str().unwrap()]);
    assert_eq!(done["state"], "succeeded", "{done:#}");
    assert!(
        std::fs::read(&target).unwrap() == content,
        "{id} came back otherwise"
    );
}

/// Begins an operation, lets it move some objects, ends all tokens, and waits for its end: how it went.
fn revoke_in_the_middle(swift: &Swift, service: &Service, arguments: &[&str]) -> Value {
    let begun = service.json(&[arguments, &["--no-wait"]].concat());
    let path = format!("/v1/operations/{}", begun["id"].as_str().unwrap());
    let look = || service.get(&path);
    let is_running = |operation: &Value| operation["state"] == "running";
    let part = |operation: &Value| operation["bytes_stored"].as_u64().unwrap() >= SIZE as u64 / OBJECTS * 2;
    while is_running(&look()) && !part(&look()) {
        std::thread::sleep(Duration::from_millis(2));
    }
    // Keystone counts in seconds: of the second in which it revokes, it refuses later tokens too.
    swift.pause();
    revoke_all(swift);
    std::thread::sleep(Duration::from_millis(1100));
    let before = look();
    assert!(
        is_running(&before),
        "it was over too soon to be in the middle: {before:#}"
    );
    swift.resume();
    let begin = Instant::now();
    loop {
        let operation = look();
        if !is_running(&operation) {
            return operation;
        }
        assert!(begin.elapsed() < SOON, "{operation:#}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn backups_go_behind_keystone_and_outlive_the_tokens_that_carry_them() {
    let Some(swift) = Swift::start_with_keystone(24200, TOKEN_LIFE) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "nobody-may-see-3318").unwrap();
    let often = "periodic_interval = \"4s\"\nreport_interval = \"2s\"\nbackup_probe_timeout = \"10s\"";
    let mut service = Service::configure(often, &sections(&swift, &format!("{{ file = {file:?} }}")));
    service.start();
    let status = service.wait("password", SOON, |status| status["code"] == "driver.unauthorized");
    let message = status["message"].as_str().unwrap();
    assert!(message.contains("refused the login (401)"), "{message}");
    std::fs::write(&file, swift.value("password")).unwrap();

    // By both kinds of credentials; what one stored, the other finds, for it is one project.
    let volume = service.path("volume");
    let create = |backend: &'static str| ["backup", "create", volume.to_str().unwrap(), "--backend", backend];
    let mut made = Vec::new();
    for (backend, seed) in BACKENDS.into_iter().zip(1..) {
        service.wait(backend, SOON, |status| status["state"] == "up");
        let content = fill(&volume, seed);
        let done = service.json(&create(backend));
        assert_eq!(done["state"], "succeeded", "{backend}: {done:#}");
        made.push((done["backup_id"].as_str().unwrap().to_owned(), content));
    }
    for (id, content) in &made {
        restore(&service, id, content);
    }

    // Tokens end by their time while backups go on without a pause.
    let (begin, mut backups) = (Instant::now(), 0);
    while begin.elapsed() < Duration::from_secs(u64::from(TOKEN_LIFE) * 5 / 4) {
        let done = service.json(&create("password"));
        assert_eq!(done["state"], "succeeded", "{done:#}");
        backups += 1;
    }
    println!(
        "{backups} backups in {:.0} s by tokens of {TOKEN_LIFE} s, 0 failed",
        begin.elapsed().as_secs_f64()
    );

    // Revoked between two objects: a restore takes a new token and goes on.
    let (id, content) = &made[0];
    let target = service.path("revoked");
    let operation = revoke_in_the_middle(
        &swift,
        &service,
        &["backup", "restore", id, target.to_str().unwrap()],
    );
    assert_eq!(operation["state"], "succeeded", "{operation:#}");
    assert!(std::fs::read(&target).unwrap() == *content);
    println!("a restore outlived the revocation of its token");

    // So does a backup: the object whose put was refused is made again from the volume.
    let operation = revoke_in_the_middle(&swift, &service, &create("password"));
    assert_eq!(operation["state"], "succeeded", "{operation:#}");
    restore(&service, operation["backup_id"].as_str().unwrap(), &made[1].1);
    println!("a backup outlived the revocation of its token");
    let told = service.log() + &service.get_text("/v1/events");
    for secret in [
        "nobody-may-see-3318",
        swift.value("password"),
        swift.value("application_credential_secret"),
    ] {
        assert!(!told.contains(secret), "a secret was told: {told}");
    }
    service.stop();
}
