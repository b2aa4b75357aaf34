//! Addresses of storages, taken apart. Pure.
//!
//! Only what a driver needs: `http` and `https`, a host, perhaps a port, a path, perhaps a query. No user, password or
//! fragment. A scheme's usual port is left out, so that the `host` header, a signature and a grant see the same text.

use std::fmt;

/// How the host speaks to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In clear.
    Http,
    /// In TLS, which the host makes.
    Https,
}

/// An absolute URL. Its path begins with `/`; path and query are already percent-encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    scheme: Scheme,
    authority: String,
    path: String,
    query: Option<String>,
}

impl Url {
    /// Takes the text apart; the error is a reason that does not show the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or("it does not begin with http:// or https://")?;
        let scheme = if scheme.eq_ignore_ascii_case("http") {
            Scheme::Http
        } else if scheme.eq_ignore_ascii_case("https") {
            Scheme::Https
        } else {
            return Err("its scheme is neither http nor https".to_owned());
        };
        if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it holds a space, a control character or one beyond ASCII".to_owned());
        }
        if rest.contains('#') {
            return Err("it holds a fragment (#)".to_owned());
        }
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query.to_owned())),
            None => (rest, None),
        };
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, "/"),
        };
        Ok(Self {
            scheme,
            authority: check_authority(scheme, authority)?,
            path: path.to_owned(),
            query,
        })
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Host and port as the `host` header has them.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Percent-encoded, begins with `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What stands behind the `?`.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Path and query as the request line has them.
    pub fn path_and_query(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// Scheme and authority only: what a grant names and what errors may show.
    pub fn origin(&self) -> String {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        format!("{scheme}://{}", self.authority)
    }

    /// The same with `path`, which must be percent-encoded, put behind this one's, with one `/` between; without a query.
    #[must_use]
    pub fn join(&self, path: &str) -> Self {
        Self {
            path: format!(
                "{}/{}",
                self.path.trim_end_matches('/'),
                path.trim_start_matches('/')
            ),
            query: None,
            ..self.clone()
        }
    }

    /// The same with another query, which must be percent-encoded; an empty one is none.
    #[must_use]
    pub fn with_query(&self, query: impl Into<String>) -> Self {
        Self {
            query: Some(query.into()).filter(|query| !query.is_empty()),
            ..self.clone()
        }
    }

    /// The same at the host `label.host`. The label must be fit for a host's name.
    pub fn with_label(&self, label: &str) -> Result<Self, String> {
        Ok(Self {
            authority: check_authority(self.scheme, &format!("{label}.{}", self.authority))?,
            ..self.clone()
        })
    }
}

/// The origin only: paths name users' objects, queries may hold signatures.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())
    }
}

/// The authority in lower case and without the scheme's usual port.
fn check_authority(scheme: Scheme, authority: &str) -> Result<String, String> {
    if authority.contains('@') {
        return Err("it holds a user or password (@)".to_owned());
    }
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an IPv6 address stand inside brackets.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let inside = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let good = match inside {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_name(host),
    };
    if !good {
        return Err("its host is missing or malformed".to_owned());
    }
    let host = host.to_ascii_lowercase();
    let Some(port) = port else {
        return Ok(host);
    };
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("its port is no number".to_owned());
    }
    match (scheme, port.parse::<u16>()) {
        (_, Err(_) | Ok(0)) => Err("its port is not 1 to 65535".to_owned()),
        (Scheme::Http, Ok(80)) | (Scheme::Https, Ok(443)) => Ok(host),
        (_, Ok(port)) => Ok(format!("{host}:{port}")),
    }
}

fn is_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    host.len() <= 253 && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let url = Url::parse("HTTPS://S3.Example.org:9000/base/?a=b").unwrap();
        assert_eq!(url.scheme(), Scheme::Https);
        assert_eq!(url.authority(), "s3.example.org:9000");
        assert_eq!((url.path(), url.query()), ("/base/", Some("a=b")));
        assert_eq!(url.path_and_query(), "/base/?a=b");
        assert_eq!(url.to_string(), "https://s3.example.org:9000");
        assert_eq!(Url::parse("http://h?x").unwrap().path_and_query(), "/?x");
    }

    #[test]
    fn the_usual_port_is_left_out() {
        assert_eq!(Url::parse("http://h:80/").unwrap().authority(), "h");
        assert_eq!(Url::parse("https://h:443").unwrap().authority(), "h");
        assert_eq!(Url::parse("https://h:80").unwrap().authority(), "h:80");
        assert_eq!(Url::parse("http://[::1]:80").unwrap().authority(), "[::1]");
        assert_eq!(Url::parse("http://[::1]").unwrap().authority(), "[::1]");
    }

    #[test]
    fn what_is_no_plain_address_is_refused_without_being_shown() {
        for wrong in [
            "",
            "host",
            "ftp://h",
            "http://",
            "http:///p",
            "http://u:secret@h/",
            "http://h:0/",
            "http://h:65536/",
            "http://h:+1/",
            "http://h:/",
            "http://h h/",
            "http://h/#f",
            "http://h\n/",
            "http://[::g]/",
            "http://a..b/",
            "http://é/",
        ] {
            let reason = Url::parse(wrong).unwrap_err();
            assert!(!reason.contains("secret"), "{reason}");
        }
    }

    #[test]
    fn paths_queries_and_labels_are_added() {
        let url = Url::parse("http://h:8080/base/").unwrap();
        assert_eq!(url.join("/bucket/key").path(), "/base/bucket/key");
        assert_eq!(url.with_query("x=1").join("k").path_and_query(), "/base/k");
        assert_eq!(url.with_query("").path_and_query(), "/base/");
        assert_eq!(url.with_label("bucket").unwrap().authority(), "bucket.h:8080");
        url.with_label("a/b").unwrap_err();
    }
}
