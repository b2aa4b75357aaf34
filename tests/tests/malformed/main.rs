//! Ten thousand requests that nobody should send: none is answered with a server's error, none makes the service panic, and
//! afterwards it works as before.
//!
//! Seeded, so that what goes wrong can be sent again; over several connections that are kept open, as long as the service keeps
//! them. [`requests`] makes the requests; here they are sent, and counted by what came back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod odd;
mod requests;
mod templates;

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use cofferdam_tests::cinder::Cinder;
use cofferdam_tests::rest::{Rest, read_answer};
use requests::{Kind, Maker, Request};

/// Requests in all.
const COUNT: usize = 12_000;

/// Connections, each by a thread of its own.
const CONNECTIONS: usize = 6;

const SEED: u64 = 11;

/// A connection that is kept as long as it can be.
struct Wire {
    rest: Rest,
    kept: Option<BufReader<TcpStream>>,
}

impl Wire {
    fn connection(&mut self) -> &mut BufReader<TcpStream> {
        if self.kept.is_none() {
            let stream = self.rest.connect().expect("the service takes connections");
            stream
                .set_read_timeout(Some(Duration::from_secs(20)))
                .expect("a time limit is taken");
            self.kept = Some(BufReader::new(stream));
        }
        self.kept.as_mut().expect("it was made")
    }

    /// Sends a request, again when a connection that was kept turns out to have been closed before: the status, or none when the
    /// connection was closed instead.
    fn send(&mut self, request: &Request) -> Option<u16> {
        let was_kept = self.kept.is_some();
        let status = self.send_once(request);
        if status.is_none() && was_kept {
            return self.send_once(request);
        }
        status
    }

    fn send_once(&mut self, request: &Request) -> Option<u16> {
        let connection = self.connection();
        // A service that has had enough of a request may close while it is being sent.
        let sent = connection.get_mut().write_all(&request.bytes).is_ok();
        if matches!(request.kind, Kind::CutOff | Kind::OddFraming) {
            let _ = connection.get_ref().shutdown(Shutdown::Write);
        }
        let method = if request.bytes.starts_with(b"HEAD ") {
            "HEAD"
        } else {
            ""
        };
        let answer = read_answer(connection, method);
        let close = answer.as_ref().map_or(true, |answer| {
            let word = answer.header("connection").unwrap_or_default();
            word.eq_ignore_ascii_case("close")
        });
        if close || !sent || request.kind.breaks_framing() {
            self.kept = None;
        }
        if let Err(error) = &answer {
            let slow = [std::io::ErrorKind::WouldBlock, std::io::ErrorKind::TimedOut];
            assert!(!slow.contains(&error.kind()), "no answer to {request:?}");
        }
        answer.ok().map(|answer| answer.status)
    }
}

#[test]
fn no_request_makes_the_service_err_or_panic_or_forget_its_work() {
    let cinder = Cinder::start("");
    let member = cinder.rest("ada", "p");
    let volume = cinder.volume(&member, "disk", 1);
    cinder.fill(&volume, 1, 1 << 20);
    let backup = cinder.backup(&member, &volume, "kept");
    let before = entries(&cinder);

    let (bad, counts) = flood(&cinder, &[&volume, &backup]);
    for (kind, counts) in &counts {
        println!("{kind:?}: {counts:?}");
    }
    assert_eq!(bad, Vec::<String>::new(), "seed {SEED}");
    assert_eq!(counts.len(), Kind::ALL.len(), "each kind was sent");
    let panics: Vec<_> = cinder
        .log()
        .lines()
        .filter(|line| line.contains("panicked"))
        .map(str::to_owned)
        .collect();
    assert_eq!(panics, Vec::<String>::new(), "seed {SEED}");

    // Nothing was made beside the folders that are there for it, and the service works.
    assert_eq!(entries(&cinder), before);
    let sound = cinder.rest("grace", "sound");
    let volume = cinder.volume(&sound, "disk", 1);
    cinder.fill(&volume, 2, 1 << 20);
    let backup = cinder.backup(&sound, &volume, "after");
    assert!(cinder.run(&["backup", "verify", &backup]).status.success());
}

/// What came back, by kind and by status; 0 stands for a connection that was closed.
type Counts = BTreeMap<Kind, BTreeMap<u16, usize>>;

/// Sends all requests: those that were answered as none should be, and the counts.
fn flood(cinder: &Cinder, ids: &[&str; 2]) -> (Vec<String>, Counts) {
    let member = cinder.rest("ada", "p");
    let floods = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|number| {
                let (member, admin) = (member.clone(), cinder.rest("admin", "p"));
                scope.spawn(move || {
                    let mut maker = Maker::new(SEED + number as u64, [member.clone(), admin], ids);
                    let mut wire = Wire {
                        rest: member,
                        kept: None,
                    };
                    let (mut bad, mut counts) = (Vec::new(), Counts::new());
                    for _ in 0..COUNT / CONNECTIONS {
                        let request = maker.request();
                        let status = wire.send(&request).unwrap_or_default();
                        *counts.entry(request.kind).or_default().entry(status).or_default() += 1;
                        // 503 is the truth of a zone that no backend is in.
                        let err = status >= 500 && status != 503;
                        if err || (status == 0 && !request.kind.breaks_framing()) {
                            bad.push(format!("{status}: {request:?}"));
                        }
                    }
                    (bad, counts)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no thread of the flood fails"))
            .collect::<Vec<_>>()
    });
    let (mut bad, mut counts) = (Vec::new(), Counts::new());
    for (more, by_kind) in floods {
        bad.extend(more);
        for (kind, by_status) in by_kind {
            for (status, count) in by_status {
                *counts.entry(kind).or_default().entry(status).or_default() += count;
            }
        }
    }
    (bad, counts)
}

/// What lies in the service's folder, and beside it what a path with `..` would reach.
fn entries(cinder: &Cinder) -> Vec<String> {
    let mut all: Vec<String> = std::fs::read_dir(cinder.folder())
        .expect("a folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    all.sort();
    all
}
