//! The way out, against servers that are made here. Nothing of WebAssembly is needed for it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::dial::{Dialer, Resolver, SystemResolver};
use super::tls::{SystemRoots, Tls};
use super::{Denials, Egress, Gateway};
use crate::contract::secrets::Encoding;
use crate::limits::Limits;
use crate::network::{Denial, Policy, Target};
use crate::requirements::{Proxies, TlsSettings};
use crate::secrets::{Secret, Source, Vault};

mod answers;
mod destinations;
mod secret;

/// A resolver that gives another answer each time, and the last one for ever.
#[derive(Debug)]
struct Changing {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Changing {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Changing {
            answers: Mutex::new(answers.iter().map(parse).collect()),
            asked: AtomicUsize::new(0),
        })
    }
}

#[async_trait::async_trait]
impl Resolver for Changing {
    async fn resolve(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        match answers.len() {
            0 => Err(io::Error::other("no such name")),
            1 => Ok(answers.first().cloned().unwrap()),
            _ => Ok(answers.remove(0)),
        }
    }
}

/// A way out and what is behind it.
struct Way {
    http: Vec<String>,
    networks: Vec<&'static str>,
    resolver: Arc<dyn Resolver>,
    vault: Arc<Vault>,
    tls: TlsSettings,
    proxies: Proxies,
    limits: Limits,
}

impl Way {
    fn to(origins: &[String]) -> Self {
        Way {
            http: origins.to_vec(),
            networks: Vec::new(),
            resolver: Arc::new(SystemResolver),
            vault: Arc::default(),
            tls: TlsSettings::default(),
            proxies: Proxies::default(),
            limits: Limits {
                http_connect_timeout: Duration::from_secs(2),
                http_first_byte_timeout: Duration::from_millis(400),
                http_between_bytes_timeout: Duration::from_millis(400),
                ..Limits::default()
            },
        }
    }

    fn open(self) -> Arc<Gateway> {
        let policy = Policy {
            http: self.http.iter().map(|text| text.parse().unwrap()).collect(),
            networks: self.networks.iter().map(|text| text.parse().unwrap()).collect(),
            tcp: Vec::new(),
            wants_http: true,
        };
        let tls = Tls::new(&self.tls, SystemRoots::default()).unwrap();
        let dialer = Dialer::new(self.resolver, tls, self.proxies);
        let denials = Denials::new(Arc::new(AtomicU64::new(0)));
        Egress::new(policy, self.vault, dialer, denials, &self.limits).gateway
    }
}

/// A server that treats each connection so, and counts them.
async fn server<F, T>(treat: F) -> (SocketAddr, Arc<AtomicUsize>)
where
    F: Fn(TcpStream) -> T + Send + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(treat(stream));
        }
    });
    (address, count)
}

/// Reads one request's head; empty when the connection ends.
async fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => bytes.push(byte),
            Err(_) => return String::new(),
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Answers every request of a connection with its head, and keeps it open.
async fn echo(mut stream: TcpStream) {
    loop {
        let head = head(&mut stream).await;
        if head.is_empty() {
            return;
        }
        let length = head
            .lines()
            .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).await.unwrap();
        let said = format!("{head}{}", String::from_utf8_lossy(&body));
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{said}", said.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn empty() -> WasiBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

fn full(bytes: impl Into<Bytes>) -> WasiBody {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// A body that is never at its end.
fn endless() -> WasiBody {
    let pieces = futures::stream::repeat_with(|| Ok(http_body::Frame::data(Bytes::from(vec![7; 64 << 10]))));
    http_body_util::StreamBody::new(pieces).boxed_unsync()
}

fn get(url: &str) -> http::Request<WasiBody> {
    let uri: http::Uri = url.parse().unwrap();
    let host = uri.authority().map_or(String::new(), ToString::to_string);
    http::Request::builder()
        .uri(uri)
        .header("host", host)
        .body(empty())
        .unwrap()
}

fn put(url: &str, length: usize, body: WasiBody) -> http::Request<WasiBody> {
    let mut request = get(url);
    *request.method_mut() = http::Method::PUT;
    request.headers_mut().insert("content-length", length.into());
    request.map(|_| body)
}

async fn text(answer: http::Response<WasiBody>) -> Result<String, Error> {
    let bytes = answer.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

async fn fails(gateway: &Arc<Gateway>, request: http::Request<WasiBody>) -> Error {
    match gateway.clone().send(request, None).await {
        Ok(answer) => panic!("it was answered: {}", answer.status()),
        Err(error) => error,
    }
}

fn denied(gateway: &Gateway) -> Denial {
    gateway.denials.take().expect("a denial was noted")
}
