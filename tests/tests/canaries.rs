//! Fifty secrets go through everything that the service does, at its most talkative, before a storage that hands them back in
//! every answer: none of them may be found in anything that the service or its drivers leave behind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use cofferdam_sandbox::Budget;
use cofferdam_sandbox::contract::SettingValue;
use cofferdam_sandbox::requirements::Grants;
use cofferdam_tests::guests::open_with;
use cofferdam_tests::service::Service;
use cofferdam_tests::{PLENTY, TestSandbox, drivers};

const CANARIES: usize = 50;

fn canary(index: usize) -> String {
    format!("Canary-{index:02}-c0ffee-7d3a")
}

/// What a canary looks like in clear and in the usual wrappings.
fn shapes(canary: &str) -> Vec<String> {
    vec![
        canary.to_owned(),
        canary.to_lowercase(),
        hex::encode(canary),
        BASE64_STANDARD.encode(canary).trim_end_matches('=').to_owned(),
        canary.replace('-', "%2D"),
    ]
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Which canaries are in there.
fn found(text: &[u8]) -> Vec<String> {
    // All of them begin alike, so one look at the beginning is enough for most texts.
    let all = (0..CANARIES).flat_map(|index| shapes(&canary(index)));
    all.filter(|shape| contains(text, shape.as_bytes())).collect()
}

/// A storage that answers every request with all that it was told and all that it knows: headers, the canary of the path's
/// number, in a header and in an error document that the driver has good reason to show. To a path of a greater number it says
/// nothing.
fn echo() -> (u16, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = heard.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let told = told.clone();
            std::thread::spawn(move || answer(stream, &told));
        }
    });
    (port, heard)
}

fn answer(mut stream: TcpStream, told: &Mutex<Vec<u8>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    told.lock().unwrap().extend_from_slice(head.as_bytes());
    told.lock().unwrap().extend_from_slice(&body);
    let path = head.split(' ').nth(1)?;
    let number = path
        .split(['/', '-', '?'])
        .find_map(|part| part.strip_prefix('n')?.parse::<usize>().ok())?;
    if number >= CANARIES {
        return stream
            .write_all(b"HTTP/1.1 503 Not Now\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .ok();
    }
    let said = head.replace("\r\n", "; ").replace(['<', '>', '&'], " ");
    let known = canary(number);
    let document = format!(
        "<?xml version=\"1.0\"?><Error><Code>{known}</Code><Message>no, {known}: {said}</Message><Resource>{}</Resource></Error>",
        String::from_utf8_lossy(&body).replace(['<', '>', '&'], " ")
    );
    let status = [
        "401 Unauthorized",
        "403 Forbidden",
        "500 Internal",
        "503 Slow Down",
        "404 Not Found",
        "400 Bad",
    ][number % 6];
    let answer = format!(
        "HTTP/1.1 {status} {known}\r\nx-trans-id: {known}\r\nwww-authenticate: Basic realm=\"{known}\"\r\nx-amz-request-id: {known}\r\n\
         content-type: application/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{document}",
        document.len()
    );
    stream.write_all(answer.as_bytes()).ok()
}

/// Where the canary of that number is kept, as the configuration says it.
fn kept(folder: &Path, index: usize) -> String {
    let value = canary(index);
    match index % 5 {
        0 => format!("{value:?}"),
        1 => {
            let file = folder.join(format!("secret-{index}"));
            std::fs::write(&file, format!("{value}\n")).unwrap();
            format!("{{ file = {file:?} }}")
        }
        2 => format!("{{ env = \"CANARY_{index}\" }}"),
        3 => {
            let file = folder.join(format!("printed-{index}"));
            std::fs::write(&file, &value).unwrap();
            format!("{{ command = [\"cat\", {file:?}] }}")
        }
        _ => {
            std::fs::create_dir_all(folder.join("credentials")).unwrap();
            std::fs::write(folder.join(format!("credentials/c{index}")), &value).unwrap();
            format!("{{ credential = \"c{index}\" }}")
        }
    }
}

/// A section with that canary; swift and s3 in turns, and every fifth with an option that is wrong besides.
fn section(folder: &Path, port: u16, index: usize) -> String {
    let (kept, url) = (kept(folder, index), format!("http://127.0.0.1:{port}"));
    let wrong = if index.is_multiple_of(5) {
        "object_size = 1000"
    } else {
        "object_size = \"4MiB\""
    };
    match index % 2 {
        0 => format!(
            "[backends.n{index}]\nbackup_driver = \"s3\"\nbackup_s3_endpoint_url = \"{url}\"\n\
             backup_s3_store_access_key = \"user\"\nbackup_s3_store_secret_key = {kept}\nbackup_s3_store_bucket = \"n{index}\"\n\
             backup_s3_{wrong}\ngrants.http = [\"{url}\"]\n"
        ),
        _ => format!(
            "[backends.n{index}]\nbackup_driver = \"swift\"\nbackup_swift_auth_url = \"{url}/n{index}/auth/v1.0\"\n\
             backup_swift_user = \"user\"\nbackup_swift_key = {kept}\nbackup_swift_{wrong}\ngrants.http = [\"{url}\"]\n"
        ),
    }
}

#[test]
fn no_canary_is_found_in_logs_answers_errors_metrics_and_files() {
    let (port, heard) = echo();
    let mut service = Service::configure("", "");
    let folder = service.folder().to_owned();
    let sections: String = (0..CANARIES).map(|index| section(&folder, port, index)).collect();
    service.rewrite("periodic_interval = \"1s\"\ndriver_retry_attempts = 1", &sections);
    let with_secrets = |mut command: Command| {
        for index in 0..CANARIES {
            command.env(format!("CANARY_{index}"), canary(index));
        }
        command.env("CREDENTIALS_DIRECTORY", folder.join("credentials"));
        command.env("RUST_LOG", "trace");
        command
    };
    service.start_with(with_secrets);
    std::fs::write(folder.join("volume"), vec![7; 100_000]).unwrap();
    let searched = RefCell::new(Vec::new());
    let ask = |name: &str, arguments: &[&str]| {
        for json in [false, true] {
            let mut command = service.command(arguments);
            if json {
                command.arg("--json");
            }
            let output = with_secrets(command).output().unwrap();
            let text = [output.stdout, output.stderr].concat();
            searched.borrow_mut().push((format!("{name} {json}"), text));
        }
    };
    std::thread::sleep(Duration::from_secs(3));
    for index in 0..CANARIES {
        let backend = format!("n{index}");
        ask("show", &["service", "show", &backend]);
        if index % 10 < 2 {
            ask("reinitialize", &["service", "reinitialize", &backend]);
            ask(
                "create",
                &[
                    "backup",
                    "create",
                    folder.join("volume").to_str().unwrap(),
                    "--backend",
                    &backend,
                ],
            );
            ask("adopt", &["backup", "adopt", "--backend", &backend]);
        }
    }
    for arguments in [
        ["service", "list"],
        ["service", "events"],
        ["config", "show"],
        ["config", "check"],
        ["backup", "list"],
    ] {
        ask(&arguments.join(" "), &arguments);
    }
    for path in ["/metrics", "/v1/services", "/v1/events", "/v1/backups"] {
        searched
            .borrow_mut()
            .push((path.to_owned(), service.get_text(path).into_bytes()));
    }
    // Secrets that cannot be read any more are errors too.
    for index in (1..CANARIES).step_by(5) {
        std::fs::remove_file(folder.join(format!("secret-{index}"))).unwrap();
    }
    std::thread::sleep(Duration::from_secs(2));
    ask("after", &["service", "list"]);
    let mut searched = searched.into_inner();
    service.stop();
    searched.push(("log".into(), service.log().into_bytes()));
    let mut folders = vec![folder.join("state")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                searched.push((path.display().to_string(), std::fs::read(&path).unwrap()));
            }
        }
    }
    let bytes: usize = searched.iter().map(|(_, text)| text.len()).sum();
    let leaks: Vec<String> = searched
        .iter()
        .flat_map(|(name, text)| found(text).into_iter().map(move |leak| format!("{name}: {leak}")))
        .collect();
    assert!(
        leaks.is_empty(),
        "{} leaks: {:#?}",
        leaks.len(),
        &leaks[..leaks.len().min(20)]
    );
    // They were used indeed: swift's keys went out, and each s3 signed with its own.
    let heard = heard.lock().unwrap();
    let sent = (1..CANARIES).step_by(2).filter(|index| !index.is_multiple_of(5));
    let missing: Vec<usize> = sent
        .filter(|index| !contains(&heard, canary(*index).as_bytes()))
        .collect();
    assert!(missing.is_empty(), "never sent: {missing:?}");
    assert!(contains(&heard, b"AWS4-HMAC-SHA256"), "no s3 signed a request");
    let log = service.log();
    assert!(log.contains("TRACE"), "the log is not at its most talkative");
    println!(
        "{CANARIES} canaries, {} texts of {bytes} bytes, 0 found",
        searched.len()
    );
}

/// The linear memories of all instances of this process: writable pages before a gap as no other memory has one, which is what
/// the engine reserved for them to grow into.
fn linear_memories() -> Vec<Vec<u8>> {
    const GAP: u64 = 128 << 20;
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut memory = std::fs::File::open("/proc/self/mem").unwrap();
    let (mut all, mut writable) = (Vec::new(), 0..0);
    for line in maps.lines() {
        let (range, rest) = line.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let number = |text: &str| u64::from_str_radix(text, 16).unwrap();
        let (start, end) = (number(start), number(end));
        if rest.starts_with("rw-p") {
            let begin = if writable.end == start {
                writable.start
            } else {
                start
            };
            writable = begin..end;
        } else if rest.starts_with("---p") && writable.end == start && end - start > GAP {
            let mut bytes = vec![0; (writable.end - writable.start) as usize];
            memory.seek(SeekFrom::Start(writable.start)).unwrap();
            memory.read_exact(&mut bytes).unwrap();
            all.push(bytes);
        }
    }
    all
}

#[tokio::test]
async fn no_canary_is_found_in_the_memory_of_a_guest_that_uses_it() {
    let (port, heard) = echo();
    let url = format!("http://127.0.0.1:{port}");
    let test = TestSandbox::start().await;
    let grants = Grants {
        http: vec![url.parse().unwrap()],
        ..Grants::default()
    };
    let text = |text: &str| SettingValue::Text(text.to_owned());
    let cases = [
        (
            "s3",
            vec![
                ("backup_s3_endpoint_url", text(&url)),
                ("backup_s3_store_access_key", text("user-marker-5e4d")),
                ("backup_s3_store_secret_key", text(&canary(2))),
                ("backup_s3_store_bucket", text("n77")),
            ],
        ),
        (
            "swift",
            vec![
                ("backup_swift_auth_url", text(&format!("{url}/n77/auth/v1.0"))),
                ("backup_swift_user", text("user-marker-5e4d")),
                ("backup_swift_key", text(&canary(3))),
            ],
        ),
    ];
    for (driver, settings) in cases {
        let loaded = test
            .load(&drivers().join(format!("{driver}.wasm")))
            .await
            .unwrap();
        let budget = Budget::new(Duration::from_secs(20), PLENTY);
        let instance = open_with(&test, &loaded, &budget, &settings, &grants)
            .await
            .unwrap();
        let failure = instance.check_for_setup_error(&budget).await.unwrap_err();
        assert!(found(failure.to_string().as_bytes()).is_empty(), "{failure}");
        let memories = linear_memories();
        let bytes: usize = memories.iter().map(Vec::len).sum();
        // What was handed to the guest is found, so these are its memories.
        let marked = memories
            .iter()
            .filter(|memory| contains(memory, b"user-marker-5e4d"))
            .count();
        assert!(
            marked > 0,
            "{driver}: the guest's memory was not found among {}",
            memories.len()
        );
        let leaks: Vec<String> = memories.iter().flat_map(|memory| found(memory)).collect();
        assert!(leaks.is_empty(), "{driver}: {leaks:?}");
        println!(
            "{driver}: {} memories of {bytes} bytes, 0 canaries",
            memories.len()
        );
    }
    assert!(contains(&heard.lock().unwrap(), canary(3).as_bytes()));
}
