//! A storage that costs next to nothing: an HTTP server on the loopback that throws away what is put and makes up what is got, so that
//! what is measured is the client. It answers both drivers as far as putting and getting goes, counts, and remembers the last
//! request of each kind, so that another client can send the very same.
//!
//! Cost: one thread for each connection, with a buffer of 1 MiB.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;

const BUFFER: usize = 1 << 20;

/// The threads' name, by which their processor time is told from the client's.
pub(crate) const THREAD: &str = "sink";

/// A request's head, as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut lines = text.split("\r\n");
        let mut first = lines.next().unwrap_or_default().split(' ');
        let headers = lines.filter_map(|line| line.split_once(':'));
        Ok(Head {
            method: first.next().context("a method")?.to_owned(),
            path: first.next().context("a path")?.to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
                .collect(),
        })
    }
}

#[derive(Debug, Default)]
struct Seen {
    requests: AtomicU64,
    /// Puts and gets that are under way, and the most that were at once.
    now: AtomicU64,
    most: AtomicU64,
    /// Bytes of an object that is got.
    size: AtomicU64,
    heads: Mutex<BTreeMap<String, Head>>,
}

/// The server. It ends with the process.
#[derive(Debug)]
pub(crate) struct Sink {
    port: u16,
    seen: Arc<Seen>,
}

impl Sink {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let seen = Arc::new(Seen::default());
        let shared = seen.clone();
        let thread = || std::thread::Builder::new().name(THREAD.to_owned());
        thread().spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), shared) = (stream, shared.clone()) else {
                    return;
                };
                // A connection that breaks is the client's to tell.
                let serving = thread().spawn(move || drop(serve(stream, port, &shared)));
                if serving.is_err() {
                    return;
                }
            }
        })?;
        Ok(Sink { port, seen })
    }

    pub(crate) fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// From now on objects have so many bytes.
    pub(crate) fn set_size(&self, bytes: u64) {
        self.seen.size.store(bytes, Ordering::SeqCst);
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> u64 {
        self.seen.requests.load(Ordering::SeqCst)
    }

    /// The most puts and gets that were under way at once since this was last asked.
    pub(crate) fn take_most(&self) -> u64 {
        self.seen.most.swap(0, Ordering::SeqCst)
    }

    /// The last request of this method.
    pub(crate) fn last(&self, method: &str) -> anyhow::Result<Head> {
        let heads = self.seen.heads.lock().unwrap_or_else(PoisonError::into_inner);
        heads
            .get(method)
            .cloned()
            .with_context(|| format!("no {method} has come"))
    }
}

fn serve(mut stream: TcpStream, port: u16, seen: &Seen) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; BUFFER];
    let mut filled = 0;
    loop {
        let end = loop {
            let read = buffer.get(..filled).unwrap_or_default();
            if let Some(at) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            let more = stream.read(buffer.get_mut(filled..).unwrap_or_default())?;
            anyhow::ensure!(more > 0, "the client is gone");
            filled += more;
        };
        let head = Head::parse(std::str::from_utf8(buffer.get(..end).unwrap_or_default())?)?;
        seen.requests.fetch_add(1, Ordering::SeqCst);
        let length = head
            .header("content-length")
            .and_then(|length| length.parse::<u64>().ok())
            .unwrap_or(0);
        let is_object = head.method == "PUT" || (head.method == "GET" && head.path != LOGIN);
        if is_object {
            let now = seen.now.fetch_add(1, Ordering::SeqCst) + 1;
            seen.most.fetch_max(now, Ordering::SeqCst);
        }
        // What is left of the buffer is the body's beginning: requests do not overlap.
        let mut left = length.saturating_sub((filled - end) as u64);
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
            let more = stream.read(buffer.get_mut(..most).unwrap_or_default())?;
            anyhow::ensure!(more > 0, "the client is gone");
            left -= more as u64;
        }
        filled = 0;
        answer(&mut stream, port, &head, seen, &buffer)?;
        if is_object {
            seen.now.fetch_sub(1, Ordering::SeqCst);
            let mut heads = seen.heads.lock().unwrap_or_else(PoisonError::into_inner);
            heads.insert(head.method.clone(), head);
        }
    }
}

const LOGIN: &str = "/auth/v1.0";

fn answer(stream: &mut TcpStream, port: u16, head: &Head, seen: &Seen, bytes: &[u8]) -> anyhow::Result<()> {
    if head.path == LOGIN {
        let answer = format!(
            "HTTP/1.1 200 OK\r\nx-auth-token: sink\r\nx-storage-url: http://127.0.0.1:{port}/v1/AUTH_test\r\n\
             content-length: 0\r\n\r\n"
        );
        return Ok(stream.write_all(answer.as_bytes())?);
    }
    if head.method != "GET" {
        let etag = head
            .header("etag")
            .map_or_else(String::new, |etag| format!("etag: {etag}\r\n"));
        let answer = format!("HTTP/1.1 201 Created\r\n{etag}content-length: 0\r\n\r\n");
        return Ok(stream.write_all(answer.as_bytes())?);
    }
    let mut left = seen.size.load(Ordering::SeqCst);
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {left}\r\n\r\n");
    stream.write_all(answer.as_bytes())?;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(BUFFER).min(bytes.len());
        stream.write_all(bytes.get(..most).unwrap_or_default())?;
        left -= most as u64;
    }
    Ok(())
}
