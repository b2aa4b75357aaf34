//! Where a service is: `unix:///path/of/api.sock`, `http://host:8776`, `https://host:8776`, with a path in front of the API
//! if a proxy wants one.

use std::path::PathBuf;
use std::str::FromStr;

use hyper::Uri;

/// A service's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A socket of this machine.
    Unix(PathBuf),
    /// Over the network.
    Tcp(Tcp),
}

/// Over the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tcp {
    pub(crate) tls: bool,
    /// Name or address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// As the URL has it: the `Host` header.
    pub(crate) authority: String,
    /// In front of every path; without a slash at its end.
    pub(crate) prefix: String,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::Unix(path) => write!(f, "unix://{}", path.display()),
            Target::Tcp(tcp) => {
                let scheme = if tcp.tls { "https" } else { "http" };
                write!(f, "{scheme}://{}{}", tcp.authority, tcp.prefix)
            }
        }
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix://") {
            return match path.starts_with('/') {
                true => Ok(Target::Unix(PathBuf::from(path))),
                false => Err("write the socket's whole path: unix:///run/cofferdam/api.sock".into()),
            };
        }
        let form = "write http://HOST:PORT, https://HOST:PORT or unix:///PATH";
        let url: Uri = text.parse().map_err(|error| format!("{error}; {form}"))?;
        let tls = match url.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(form.into()),
        };
        let Some(authority) = url.authority() else {
            return Err(form.into());
        };
        if authority.as_str().contains('@') {
            return Err("a URL holds no user and password here; give --token".into());
        }
        if url.query().is_some() {
            return Err(format!("a URL has no query here; {form}"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        Ok(Target::Tcp(Tcp {
            tls,
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            authority: authority.to_string(),
            prefix: url.path().trim_end_matches('/').to_owned(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_socket_or_a_host_and_reads_back_as_it_was_written() {
        for url in [
            "unix:///a/b.sock",
            "http://h:8776",
            "https://[::1]:1/cofferdam",
            "https://h",
        ] {
            assert_eq!(url.parse::<Target>().unwrap().to_string(), url);
        }
        let Target::Tcp(tcp) = "https://[::1]/x/".parse().unwrap() else {
            panic!("not a socket");
        };
        assert_eq!(
            (tcp.host.as_str(), tcp.port, tcp.prefix.as_str()),
            ("::1", 443, "/x")
        );
    }

    #[test]
    fn what_is_no_such_url_is_refused_with_what_to_write() {
        for url in [
            "",
            "h:8776",
            "ftp://h",
            "unix://a",
            "http://u:p@h",
            "http://h/?x",
            "http:///x",
        ] {
            assert!(url.parse::<Target>().is_err(), "{url}");
        }
    }
}
