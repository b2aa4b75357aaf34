//! A scheme, a host and a port, read from a grant, from an option of kind `url` or from a request. Pure.
//!
//! One spelling is taken and every other refused, so that nobody can be sent elsewhere by a reader that understands a text
//! in another way: no user or password, no trailing dot, no host that is a number in disguise (`2130706433`, `0x7f.1`,
//! `0177.0.0.1`), nothing beyond ASCII, no zone of an address, no port 0. Upper case becomes lower case.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::Serialize;

use super::address::{Reach, judge, reached};

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    /// In clear.
    Http,
    /// In TLS.
    Https,
}

impl Scheme {
    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "http" => Some(Scheme::Http),
            "https" => Some(Scheme::Https),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    fn usual_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// Whom a request is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    /// A name in lower case.
    Name(String),
    /// An address as it was written; compare by what it reaches.
    Address(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Address(IpAddr::V4(four)) => four.fmt(f),
            Host::Address(IpAddr::V6(six)) => write!(f, "[{six}]"),
        }
    }
}

/// Where one request goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    pub(crate) scheme: Scheme,
    pub(crate) host: Host,
    pub(crate) port: u16,
}

impl Target {
    /// Of a URL that a deployer wrote.
    ///
    /// # Errors
    /// What is wrong with it; the text is not shown.
    pub(crate) fn of_url(text: &str) -> Result<Self, &'static str> {
        let (scheme, authority, rest) = split(text)?;
        if rest.contains('#') {
            return Err("it holds a fragment (#)");
        }
        let (host, port) = split_port(authority, scheme)?;
        Ok(Target {
            scheme,
            host: parse_host(host)?,
            port,
        })
    }

    /// Of a request.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn of_request(uri: &http::Uri) -> Result<Self, &'static str> {
        let scheme = uri
            .scheme_str()
            .and_then(Scheme::parse)
            .ok_or("its scheme is neither http nor https")?;
        let authority = uri.authority().ok_or("it names no host")?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        if !(path.is_empty() || path.starts_with('/') || path.starts_with('?')) {
            return Err("its path does not begin with /");
        }
        let (host, port) = split_port(authority.as_str(), scheme)?;
        Ok(Target {
            scheme,
            host: parse_host(host)?,
            port,
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.host)?;
        if self.port == self.scheme.usual_port() {
            return Ok(());
        }
        write!(f, ":{}", self.port)
    }
}

/// An origin that the deployer grants: `https://s3.example.com`, `http://127.0.0.1:8080`, `https://*.example.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    target: Target,
    /// Whether the names below the host's are meant, and not the host's own.
    below: bool,
}

impl Origin {
    /// Whether a request may go there by this grant.
    pub(crate) fn covers(&self, target: &Target) -> bool {
        if (self.target.scheme, self.target.port) != (target.scheme, target.port) {
            return false;
        }
        match (&self.target.host, &target.host) {
            (Host::Address(mine), Host::Address(theirs)) => reached(*mine) == reached(*theirs),
            (Host::Name(mine), Host::Name(theirs)) if self.below => theirs
                .strip_suffix(mine.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            (Host::Name(mine), Host::Name(theirs)) => mine == theirs,
            _ => false,
        }
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!(
                "{text:?} is no origin such as \"https://s3.example.com\" or \"http://127.0.0.1:8080\": {why}"
            )
        };
        let hidden = |why: &str| format!("an origin of grants.http is wrong: {why}");
        let (scheme, authority, rest) = split(text).map_err(wrong)?;
        // A password must not be shown.
        if authority.contains('@') {
            return Err(hidden("it holds a user or password (@)"));
        }
        if !rest.is_empty() {
            return Err(wrong("leave out what stands behind host and port"));
        }
        let (host, port) = split_port(authority, scheme).map_err(wrong)?;
        let (host, below) = match host.strip_prefix("*.") {
            Some(host) => (host, true),
            None => (host, false),
        };
        let host = parse_host(host).map_err(wrong)?;
        match &host {
            Host::Address(_) if below => return Err(wrong("*. stands before a name only")),
            Host::Address(address) => {
                if let Reach::Never(why) = judge(*address) {
                    return Err(wrong(&format!("that address is {why} and never granted")));
                }
            }
            Host::Name(name) if below && !name.contains('.') => {
                return Err(wrong("*. stands before a name of at least two parts"));
            }
            Host::Name(_) => {}
        }
        let target = Target { scheme, host, port };
        Ok(Origin { target, below })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.target.to_string();
        match text.split_once("://") {
            Some((scheme, rest)) if self.below => write!(f, "{scheme}://*.{rest}"),
            _ => f.write_str(&text),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Scheme, authority, and what stands behind it.
fn split(text: &str) -> Result<(Scheme, &str, &str), &'static str> {
    let (scheme, rest) = text
        .split_once("://")
        .ok_or("it does not begin with http:// or https://")?;
    let scheme = Scheme::parse(scheme).ok_or("its scheme is neither http nor https")?;
    if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it holds a space, a control character or one beyond ASCII (write the name in punycode)");
    }
    if rest.contains('\\') {
        return Err("it holds a backslash");
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    Ok((scheme, authority, rest))
}

/// Host as written, and port.
fn split_port(authority: &str, scheme: Scheme) -> Result<(&str, u16), &'static str> {
    if authority.contains('@') {
        return Err("it holds a user or password (@)");
    }
    // The colons of an IPv6 address stand inside brackets.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let Some(port) = port else {
        return Ok((host, scheme.usual_port()));
    };
    let digits = !port.is_empty() && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(number) if digits && number > 0 => Ok((host, number)),
        _ => Err("its port is not 1 to 65535"),
    }
}

fn parse_host(host: &str) -> Result<Host, &'static str> {
    if let Some(inside) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return match inside.parse::<Ipv6Addr>() {
            Ok(six) => Ok(Host::Address(IpAddr::V6(six))),
            Err(_) => Err("its host is no IPv6 address"),
        };
    }
    if host.ends_with('.') {
        return Err("its host ends in a dot");
    }
    let good = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if host.len() > 253 || !host.split('.').all(good) {
        return Err("its host is missing or malformed");
    }
    let host = host.to_ascii_lowercase();
    let last = host.rsplit('.').next().unwrap_or_default();
    // What ends in a number is an address; resolvers take many a spelling, here there is one.
    if last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") {
        return match host.parse::<Ipv4Addr>() {
            Ok(four) => Ok(Host::Address(IpAddr::V4(four))),
            Err(_) => Err("its host is a number, but no IPv4 address of four decimal parts"),
        };
    }
    Ok(Host::Name(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_an_origin_and_nothing_more() {
        for (text, shown) in [
            ("https://s3.example.com", "https://s3.example.com"),
            ("HTTPS://S3.Example.COM:443", "https://s3.example.com"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:80", "http://[::1]"),
            ("https://*.example.com", "https://*.example.com"),
            ("http://localhost:9000", "http://localhost:9000"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().to_string(), shown, "{text}");
        }
        for (text, why) in [
            ("s3.example.com", "begin with"),
            ("ftp://s3.example.com", "neither"),
            ("https://user:hunter22@s3.example.com", "user or password"),
            ("https://s3.example.com/", "leave out"),
            ("https://s3.example.com/bucket", "leave out"),
            ("https://s3.example.com?x=1", "leave out"),
            ("https://s3.example.com:0", "port"),
            ("https://s3.example.com:+1", "port"),
            ("https://s3.example.com:65536", "port"),
            ("https://s3.example.com.", "dot"),
            ("https://bücher.example", "punycode"),
            ("https://*", "malformed"),
            ("https://*.com", "two parts"),
            ("https://*.1.2.3.4", "name only"),
            ("https://a.*.com", "malformed"),
            ("http://2130706433", "number"),
            ("http://0x7f.1", "number"),
            ("http://0177.0.0.1", "number"),
            ("http://127.1", "number"),
            ("http://169.254.169.254", "never granted"),
            ("http://[fe80::1%25eth0]", "IPv6"),
            ("http://[::ffff:169.254.169.254]", "never granted"),
            ("http://0.0.0.0:80", "never granted"),
            ("http://h\\@evil.example", "backslash"),
        ] {
            let reason = text.parse::<Origin>().unwrap_err();
            assert!(reason.contains(why), "{text}: {reason}");
            assert!(!reason.contains("hunter22"), "{reason}");
        }
    }

    #[test]
    fn a_url_is_taken_apart_without_being_shown() {
        let target = Target::of_url("https://S3.example.com/base?x=1").unwrap();
        assert_eq!(target.to_string(), "https://s3.example.com");
        for wrong in [
            "",
            "h",
            "https://u:p@h/",
            "https://h/#f",
            "https://h:0/",
            "http:///x",
        ] {
            assert!(Target::of_url(wrong).is_err(), "{wrong}");
        }
    }
}
