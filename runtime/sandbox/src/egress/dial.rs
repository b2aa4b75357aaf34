//! From an admitted target to a connection: resolve once, check every address, dial one of those that were checked.
//!
//! The name is never resolved a second time, so an answer that changes between the check and the dial changes nothing.
//! Through a proxy, which the deployer named, the proxy resolves: then its own address is the one that is checked, by the fact
//! that it stands in the settings, and only what is never granted stays denied. Bound: [`MOST`] addresses, and the request's time to
//! connect for all steps together. Cost: one lookup and one dial per new connection.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;
use wasmtime_wasi_http::Error;

use super::times::Times;
use super::tls::Tls;
use super::wire::{Stream, Wire};
use super::{Denials, faults};
use crate::network::address::{Reach, judge};
use crate::network::{Denial, Host, Policy, Scheme, Target};
use crate::requirements::Proxies;

/// Addresses of one name that are looked at.
const MOST: usize = 16;

/// Bytes of a proxy's answer to CONNECT.
const PROXY_ANSWER: usize = 8 << 10;

/// Finds the addresses of a name.
#[async_trait]
pub trait Resolver: std::fmt::Debug + Send + Sync {
    /// All of them, the best first.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's resolver.
#[derive(Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// Makes one instance's connections.
#[derive(Debug)]
pub(crate) struct Dialer {
    resolver: Arc<dyn Resolver>,
    tls: Tls,
    proxies: Proxies,
}

impl Dialer {
    pub(crate) fn new(resolver: Arc<dyn Resolver>, tls: Tls, proxies: Proxies) -> Self {
        Dialer {
            resolver,
            tls,
            proxies,
        }
    }

    /// A connection, and whether its requests must name the whole URL.
    ///
    /// # Errors
    /// What went wrong; a denial is noted.
    pub(super) async fn dial(
        &self,
        target: &Target,
        policy: &Policy,
        denials: &Denials,
        times: Times,
    ) -> Result<(Wire, bool), Error> {
        let end = Instant::now() + times.connect;
        let proxy = match target.scheme {
            Scheme::Http => self.proxies.http.as_ref(),
            Scheme::Https => self.proxies.https.as_ref(),
        };
        let mut addresses = self.resolve(&proxy.unwrap_or(target).host, end).await?;
        let mut denied = None;
        addresses.retain(|address| {
            let admitted = match proxy {
                Some(proxy) => admit_proxy(proxy, *address),
                None => policy.admit_address(target, *address, is_own(*address)),
            };
            admitted.map_err(|denial| denied = Some(denial)).is_ok()
        });
        if let (true, Some(denial)) = (addresses.is_empty(), denied) {
            denials.note(denial);
            return Err(Error::DestinationIpProhibited);
        }
        let port = proxy.unwrap_or(target).port;
        let mut stream = first(&addresses, port, end).await?;
        // Small requests go out at once. A socket that cannot do it works all the same.
        let _ = stream.set_nodelay(true);
        let secure = async {
            if proxy.is_some() && target.scheme == Scheme::Https {
                tunnel(&mut stream, target).await?;
            }
            let stream: Box<dyn Stream> = match target.scheme {
                Scheme::Http => Box::new(stream),
                Scheme::Https => Box::new(self.tls.connect(&target.host, stream).await?),
            };
            Ok::<_, Error>(Wire::new(stream, times.between_bytes))
        };
        let wire = tokio::time::timeout_at(end, secure).await;
        let wire = wire.map_err(|_| Error::ConnectionTimeout)??;
        Ok((wire, proxy.is_some() && target.scheme == Scheme::Http))
    }

    async fn resolve(&self, host: &Host, end: Instant) -> Result<Vec<IpAddr>, Error> {
        let name = match host {
            Host::Address(address) => return Ok(vec![*address]),
            Host::Name(name) => name,
        };
        let nothing = |why: String| Error::DnsError {
            rcode: Some(why),
            info_code: None,
        };
        let found = tokio::time::timeout_at(end, self.resolver.resolve(name)).await;
        let found = found
            .map_err(|_| Error::DnsTimeout)?
            .map_err(|error| nothing(error.to_string()))?;
        let mut addresses: Vec<IpAddr> = Vec::new();
        for address in found {
            if addresses.len() < MOST && !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if addresses.is_empty() {
            return Err(nothing("it has no address".into()));
        }
        Ok(addresses)
    }
}

/// Whether the address is one of this host's own: the kernel would send from there to there.
fn is_own(address: IpAddr) -> bool {
    let any: SocketAddr = match address {
        IpAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        IpAddr::V6(_) => ([0; 8], 0).into(),
    };
    // Connecting a datagram socket sends nothing.
    let from = UdpSocket::bind(any).and_then(|socket| {
        socket.connect((address, 9))?;
        socket.local_addr()
    });
    from.is_ok_and(|from| from.ip().to_canonical() == address.to_canonical())
}

fn admit_proxy(proxy: &Target, address: IpAddr) -> Result<(), Denial> {
    match judge(address) {
        Reach::Never(why) => Err(Denial {
            wanted: format!("a proxy {proxy} at {address} ({why})"),
            grant: String::new(),
        }),
        Reach::Public | Reach::Guarded(_) => Ok(()),
    }
}

/// The first of the addresses that takes a connection; each has its share of the time.
async fn first(addresses: &[IpAddr], port: u16, end: Instant) -> Result<TcpStream, Error> {
    let mut last = Error::DestinationUnavailable;
    for (at, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - at).unwrap_or(u32::MAX);
        let share: Duration = end.saturating_duration_since(Instant::now()) / left;
        let dialling = TcpStream::connect((address.to_canonical(), port));
        match tokio::time::timeout(share, dialling).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = faults::dialling(&error),
            Err(_) => last = Error::ConnectionTimeout,
        }
    }
    Err(last)
}

/// Asks a proxy for a connection to the target.
async fn tunnel(stream: &mut TcpStream, target: &Target) -> Result<(), Error> {
    let broken = |error: io::Error| faults::dialling(&error);
    let authority = format!("{}:{}", target.host, target.port);
    let request = format!("CONNECT {authority} HTTP/1.1\r\nhost: {authority}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        // One byte at a time: what follows belongs to TLS.
        answer.push(stream.read_u8().await.map_err(broken)?);
        if answer.len() > PROXY_ANSWER {
            return Err(Error::HttpProtocolError);
        }
    }
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
    match status {
        Some(status) if status.starts_with('2') => Ok(()),
        Some(status) if status.bytes().all(|byte| byte.is_ascii_digit()) => Err(Error::InternalError(Some(
            format!("the proxy answered {status} when it was asked for {authority}"),
        ))),
        _ => Err(Error::HttpProtocolError),
    }
}
