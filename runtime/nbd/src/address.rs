//! Where an NBD export is, as the NBD URI specification writes it.
//!
//! `nbd://host[:port]/export` and `nbd+unix:///export?socket=/path`. TLS is not spoken, so `nbds` is refused by name
//! and never weakened to plain text. Whatever is not understood (users, fragments, parameters) is refused as well:
//! an address that means more than is done would be a trap. Display writes what parsing reads.

use std::ffi::OsStr;
use std::fmt;
use std::net::Ipv6Addr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::error::{NbdError, clean};

/// The port that IANA gave to NBD.
pub const DEFAULT_PORT: u16 = 10809;

/// Bytes of an address; an export name alone may have 4096, each written as three.
const LONGEST: usize = 16 << 10;

/// Bytes of an export name, by the protocol.
const LONGEST_NAME: usize = 4096;

/// Bytes of a socket's path, by the kernel.
const LONGEST_SOCKET: usize = 107;

/// An NBD server and the name of an export there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    place: Place,
    export: String,
}

/// How the server is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

impl Address {
    /// The export's name; may be empty, which is the server's default export.
    pub fn export(&self) -> &str {
        &self.export
    }

    /// The server's socket, if it is one on this host.
    pub fn socket(&self) -> Option<&Path> {
        match &self.place {
            Place::Tcp { .. } => None,
            Place::Unix(path) => Some(path),
        }
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }
}

impl FromStr for Address {
    type Err = NbdError;

    /// # Errors
    /// `nbd-address`, with what is wrong.
    fn from_str(text: &str) -> Result<Self, NbdError> {
        if text.len() > LONGEST {
            return Err(NbdError::address(format!("it is longer than {LONGEST} bytes")));
        }
        if text.chars().any(|letter| letter.is_control() || letter == ' ') {
            return Err(NbdError::address(
                "it has spaces or control characters; write them as %20 and the like",
            ));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(NbdError::address(format!(
                "{:?} is neither nbd://host[:port]/export nor nbd+unix:///export?socket=/path",
                clean(text.as_bytes())
            )));
        };
        if rest.contains('#') {
            return Err(NbdError::address("a fragment (#) means nothing here"));
        }
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let (authority, name) = rest.split_once('/').unwrap_or((rest, ""));
        let export = export_name(name)?;
        let place = match scheme.to_ascii_lowercase().as_str() {
            "nbd" => {
                if query.is_some_and(|query| !query.is_empty()) {
                    return Err(NbdError::address("parameters (?) are not known with nbd://"));
                }
                tcp(authority)?
            }
            "nbd+unix" => unix(authority, query.unwrap_or_default())?,
            "nbds" | "nbds+unix" => {
                return Err(NbdError::address(
                    "nbds asks for TLS, which is not supported; use nbd+unix, or nbd through a tunnel",
                ));
            }
            other => {
                return Err(NbdError::address(format!(
                    "the scheme {:?} is not known; nbd and nbd+unix are",
                    clean(other.as_bytes())
                )));
            }
        };
        Ok(Address { place, export })
    }
}

fn export_name(text: &str) -> Result<String, NbdError> {
    let name = String::from_utf8(decode(text)?)
        .map_err(|_| NbdError::address("the export's name is not valid UTF-8"))?;
    if name.contains('\0') {
        return Err(NbdError::address("the export's name has a NUL character"));
    }
    if name.len() > LONGEST_NAME {
        return Err(NbdError::address(format!(
            "the export's name has more than {LONGEST_NAME} bytes"
        )));
    }
    Ok(name)
}

fn tcp(authority: &str) -> Result<Place, NbdError> {
    if authority.contains('@') {
        return Err(NbdError::address("a user name (@) means nothing without TLS"));
    }
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest
            .split_once(']')
            .ok_or_else(|| NbdError::address("the IPv6 address has no closing bracket"))?;
        host.parse::<Ipv6Addr>()
            .map_err(|_| NbdError::address("what stands in brackets is not an IPv6 address"))?;
        (host, port)
    } else {
        let end = authority.find(':').unwrap_or(authority.len());
        authority.split_at_checked(end).unwrap_or((authority, ""))
    };
    if host.is_empty() {
        return Err(NbdError::address("it names no host"));
    }
    let known = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | ':');
    if host.len() > 253 || !host.chars().all(known) {
        return Err(NbdError::address("the host is neither a name nor an IP address"));
    }
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => DEFAULT_PORT,
        Some("") => DEFAULT_PORT,
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => digits
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or_else(|| NbdError::address("the port is not within 1 to 65535"))?,
        _ => return Err(NbdError::address("the port is not a number")),
    };
    Ok(Place::Tcp {
        host: host.to_owned(),
        port,
    })
}

fn unix(authority: &str, query: &str) -> Result<Place, NbdError> {
    if !authority.is_empty() {
        return Err(NbdError::address(
            "nbd+unix names no host; there are three slashes: nbd+unix:///export?socket=/path",
        ));
    }
    let mut socket = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if key != "socket" {
            return Err(NbdError::address(format!(
                "the parameter {:?} is not known; socket is",
                clean(key.as_bytes())
            )));
        }
        if socket.replace(decode(value)?).is_some() {
            return Err(NbdError::address("it names more than one socket"));
        }
    }
    let socket = socket.ok_or_else(|| NbdError::address("nbd+unix needs ?socket=/path"))?;
    if socket.contains(&0) {
        return Err(NbdError::address("the socket's path has a NUL character"));
    }
    if socket.len() > LONGEST_SOCKET {
        return Err(NbdError::address(format!(
            "the socket's path has more than {LONGEST_SOCKET} bytes"
        )));
    }
    let path = PathBuf::from(std::ffi::OsString::from_vec(socket));
    if !path.is_absolute() {
        return Err(NbdError::address("the socket's path must begin with /"));
    }
    Ok(Place::Unix(path))
}

/// Percent-decoding; a plus sign stays one.
fn decode(text: &str) -> Result<Vec<u8>, NbdError> {
    let broken = || NbdError::address("a percent sign is not followed by two hexadecimal digits");
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (high, low) = digit().zip(digit()).ok_or_else(broken)?;
        out.push(u8::try_from(high * 16 + low).map_err(|_| broken())?);
    }
    Ok(out)
}

/// Writes bytes so that they stand in a URI's path or value.
struct Encoded<'a>(&'a [u8]);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for &byte in self.0 {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
                out.write_char(char::from(byte))?;
            } else {
                write!(out, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let export = Encoded(self.export.as_bytes());
        match &self.place {
            Place::Tcp { host, port } => {
                let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
                write!(out, "nbd://{open}{host}{close}")?;
                if *port != DEFAULT_PORT {
                    write!(out, ":{port}")?;
                }
                write!(out, "/{export}")
            }
            Place::Unix(path) => {
                let path: &OsStr = path.as_os_str();
                write!(out, "nbd+unix:///{export}?socket={}", Encoded(path.as_bytes()))
            }
        }
    }
}

#[cfg(test)]
#[path = "tests/address.rs"]
mod tests;
