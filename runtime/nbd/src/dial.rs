//! Reaching a server, over TCP or a Unix socket, within a limit.
//!
//! The standard library connects a Unix socket without any limit, and a server that does not accept would hold its
//! caller for ever; so that socket gets its send timeout before it connects. Looking up a host's name is left to the system
//! and its own limits. A host with several addresses is tried at each in turn, within one limit altogether.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket, Type};

use super::address::{Address, Place};
use super::error::NbdError;
use super::link::Patience;

/// A connected socket.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Connects, and bounds every wait of the socket from then on.
pub(super) fn dial(address: &Address, timeout: Duration) -> Result<Stream, NbdError> {
    let stream = match address.place() {
        Place::Tcp { host, port } => tcp(host, *port, timeout).map(Stream::Tcp),
        Place::Unix(path) => unix(path, timeout).map(Stream::Unix),
    };
    stream
        .and_then(|stream| stream.wait_at_most(timeout).map(|()| stream))
        .map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => NbdError::Timeout {
                doing: "connecting",
                after: timeout,
            },
            _ => NbdError::Connect {
                address: address.to_string(),
                reason: error.to_string(),
            },
        })
}

fn tcp(host: &str, port: u16, timeout: Duration) -> io::Result<TcpStream> {
    let end = Instant::now().checked_add(timeout);
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for place in (host, port).to_socket_addrs()? {
        let left = end.map_or(timeout, |end| end.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match TcpStream::connect_timeout(&place, left) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn unix(path: &Path, timeout: Duration) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_write_timeout(Some(timeout))?;
    let place = SockAddr::unix(path)?;
    loop {
        match socket.connect(&place) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            connected => return connected.map(|()| UnixStream::from(std::os::fd::OwnedFd::from(socket))),
        }
    }
}

impl Patience for Stream {
    fn wait_at_most(&self, limit: Duration) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => {
                stream.set_read_timeout(Some(limit))?;
                stream.set_write_timeout(Some(limit))
            }
            Stream::Unix(stream) => {
                stream.set_read_timeout(Some(limit))?;
                stream.set_write_timeout(Some(limit))
            }
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buffer),
            Stream::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(bytes),
            Stream::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
