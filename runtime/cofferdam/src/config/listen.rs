//! The options of the TCP listener, and the rules over several of them: what would be open to everybody, or in plain text
//! against somebody's belief, is refused with its line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

#[cfg(test)]
use super::options;
use super::parse::{ConfigError, error};
use super::value::Origin;
use super::{Config, Value};

/// Options of the service that only hold from the next start on, beside those that the manager names.
const AT_START: &[&str] = &[
    "api_socket",
    "osapi_volume_listen",
    "osapi_volume_listen_port",
    "osapi_volume_use_ssl",
    "osapi_max_connections",
    "auth_strategy",
    "backup_workers",
    "graceful_shutdown_timeout",
    "log_format",
];

/// Where and how the API is served over TCP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listen {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Option<TlsFiles>,
}

/// Files of TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// Authorities of clients; none: clients need no certificate.
    pub(crate) authorities: Option<PathBuf>,
}

impl Config {
    fn boolean(&self, name: &str) -> bool {
        self.service_value(name)
            .and_then(Value::into_boolean)
            .unwrap_or_default()
    }

    fn number(&self, name: &str) -> usize {
        let number = self.service_value(name).and_then(Value::into_integer);
        number
            .and_then(|number| usize::try_from(number).ok())
            .unwrap_or_default()
    }

    /// Where the API is served over TCP; none: nowhere.
    pub(crate) fn listen(&self) -> Option<Listen> {
        let text = self.values.get("osapi_volume_listen")?.clone().into_text()?;
        let address: IpAddr = text.parse().ok()?;
        let port = u16::try_from(self.number("osapi_volume_listen_port")).ok()?;
        let path = |name: &str| self.values.get(name).cloned().and_then(Value::into_path);
        let files = || {
            Some(TlsFiles {
                certificate: path("ssl_cert_file")?,
                key: path("ssl_key_file")?,
                authorities: path("ssl_ca_file"),
            })
        };
        Some(Listen {
            address: SocketAddr::new(address, port),
            tls: self.boolean("osapi_volume_use_ssl").then(files).flatten(),
        })
    }

    /// Connections that one listener serves at once.
    pub(crate) fn max_connections(&self) -> usize {
        self.number("osapi_max_connections").max(1)
    }

    /// Threads of the runtime; none: as many as there are processors.
    pub(crate) fn workers(&self) -> Option<usize> {
        Some(self.number("backup_workers")).filter(|workers| *workers > 0)
    }

    /// How long operations may go on when the service is told to stop.
    pub(crate) fn graceful_shutdown_timeout(&self) -> Duration {
        let span = self.service_value("graceful_shutdown_timeout");
        span.and_then(Value::into_duration).unwrap_or_default()
    }

    /// Whether the service logs in JSON.
    pub(crate) fn logs_json(&self) -> bool {
        let format = self.service_value("log_format").and_then(Value::into_text);
        format.as_deref() == Some("json")
    }

    /// Whether whoever reaches the TCP listener from another machine is let in; said in the log at each start.
    pub(crate) fn is_open_to_network(&self) -> bool {
        let far = |listen: Listen| !listen.address.ip().is_loopback();
        self.listen().is_some_and(far) && self.has_noauth()
    }

    fn has_noauth(&self) -> bool {
        let strategy = self.service_value("auth_strategy").and_then(Value::into_text);
        strategy.as_deref() == Some("noauth")
    }

    /// Options that differ in another configuration and hold from the next start on.
    pub(crate) fn differs_at_start(&self, other: &Config) -> Vec<String> {
        let data = |config: &Config, name: &str| config.service_value(name).map(|value| value.data);
        let differs = |name: &&&str| data(self, name) != data(other, name);
        let names = AT_START.iter().filter(differs);
        names.map(|name| (*name).to_owned()).collect()
    }

    /// Rules over several options.
    ///
    /// # Errors
    /// The first that is broken, at the option that breaks it.
    pub(super) fn check_listen(&self) -> Result<(), ConfigError> {
        let at = |name: &str| {
            self.values
                .get(name)
                .map_or(Origin::default(), |value| value.origin)
        };
        let fail = |name: &str, message: String| Err(error(&self.file, at(name), message));
        if let Some(value) = self.values.get("osapi_volume_listen") {
            let text = value.clone().into_text().unwrap_or_default();
            if text.parse::<IpAddr>().is_err() {
                let message = format!(
                    "osapi_volume_listen = {text:?} is no IP address; write \"127.0.0.1\" or \"::1\" for this machine alone, \
                     the port goes into osapi_volume_listen_port"
                );
                return fail("osapi_volume_listen", message);
            }
        }
        let tls = self.boolean("osapi_volume_use_ssl");
        for name in ["ssl_cert_file", "ssl_key_file"] {
            if tls && !self.values.contains_key(name) {
                let message = format!("osapi_volume_use_ssl is true, and there is no {name}; name the file");
                return fail("osapi_volume_use_ssl", message);
            }
        }
        for name in ["ssl_cert_file", "ssl_key_file", "ssl_ca_file"] {
            if !tls && self.values.contains_key(name) {
                let message = format!(
                    "{name} is set, but the API would be served in plain text; set osapi_volume_use_ssl = true, or take \
                     {name} out"
                );
                return fail(name, message);
            }
        }
        if self.is_open_to_network() && !self.boolean("allow_noauth_on_network") {
            let message = "osapi_volume_listen is not of this machine alone, and with auth_strategy = \"noauth\" everybody who \
                           reaches it could read, overwrite and delete every backup; listen on 127.0.0.1 behind something \
                           that checks who comes, or say allow_noauth_on_network = true";
            return fail("osapi_volume_listen", message.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse::parse;
    use std::path::Path;

    fn read(top: &str) -> Result<Config, ConfigError> {
        let text = format!("{top}\n[backends.a]\nbackup_driver = \"posix\"\n");
        parse(Path::new("/x/c.toml"), &text)
    }

    #[test]
    fn the_options_that_hold_from_the_next_start_are_options() {
        for name in AT_START {
            assert!(options::find(name).is_some(), "{name}");
        }
    }

    #[test]
    fn nothing_listens_unless_an_address_is_given() {
        assert_eq!(read("osapi_volume_listen_port = 1").unwrap().listen(), None);
        let listen = read("osapi_volume_listen = \"::1\"").unwrap().listen().unwrap();
        assert_eq!(listen.address.to_string(), "[::1]:8776");
        assert_eq!(listen.tls, None);
    }

    #[test]
    fn what_would_be_open_to_everybody_or_in_plain_text_is_refused_with_its_line() {
        for (top, line, words) in [
            (
                "osapi_volume_listen = \"0.0.0.0\"",
                1,
                "allow_noauth_on_network = true",
            ),
            ("\nosapi_volume_listen = \"example.com\"", 2, "no IP address"),
            ("osapi_volume_use_ssl = true", 1, "ssl_cert_file"),
            (
                "osapi_volume_use_ssl = true\nssl_cert_file = \"c\"",
                1,
                "ssl_key_file",
            ),
            ("host = \"h\"\nssl_ca_file = \"c\"", 2, "plain text"),
        ] {
            let error = read(top).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.message.contains(words), "{error}");
        }
        let open = "osapi_volume_listen = \"0.0.0.0\"\nallow_noauth_on_network = true";
        assert!(read(open).unwrap().is_open_to_network());
    }

    #[test]
    fn a_change_that_needs_a_start_is_named() {
        let (a, b) = (
            read("").unwrap(),
            read("backup_workers = 2\nlog_format = \"text\"").unwrap(),
        );
        assert_eq!(a.differs_at_start(&b), ["backup_workers"]);
    }
}
