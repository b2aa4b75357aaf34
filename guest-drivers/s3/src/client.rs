//! Requests to the storage: addressed, signed, ready to be sent.
//!
//! Every header that is given here is signed, because S3 wants all `x-amz-` headers signed. The key of the day is asked
//! of the host for each request, and so is the digest of what is signed, in which placeholders of secrets may stand: two
//! crossings, and a changed secret holds at once.

use cofferdam_driver::http::encode::{percent, percent_path};
use cofferdam_driver::http::{Method, Request, Timeouts, Url, time};
use cofferdam_driver::secrets::{self, Algorithm};
use cofferdam_driver::{Error, Secret};

use crate::names::{Addressing, check_bucket};
use crate::sigv4::{self, Canonical, Scope};

/// Header names in lower case.
pub(crate) type Headers = Vec<(String, String)>;

/// Adds a header whose name is known.
pub(crate) fn add(headers: &mut Headers, name: &str, value: impl Into<String>) {
    headers.push((name.to_owned(), value.into()));
}

/// Who to speak to, and as whom.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) endpoint: Url,
    pub(crate) addressing: Addressing,
    pub(crate) region: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: Secret,
    pub(crate) timeouts: Timeouts,
}

/// One request to be made.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) bucket: &'a str,
    /// Empty for the bucket itself.
    pub(crate) key: &'a str,
    /// Names and values as they are, in any order.
    pub(crate) query: &'a [(&'a str, &'a str)],
    pub(crate) headers: Headers,
    /// The body's SHA-256 in hex, or [`sigv4::UNSIGNED`].
    pub(crate) payload: String,
}

impl<'a> Call<'a> {
    /// A request without query, headers and body.
    pub(crate) fn new(method: Method, bucket: &'a str, key: &'a str) -> Self {
        Self {
            method,
            bucket,
            key,
            query: &[],
            headers: Vec::new(),
            payload: sigv4::sha256(b""),
        }
    }
}

impl Client {
    /// The request, signed now.
    pub(crate) fn request(&self, call: Call<'_>) -> Result<Request, Error> {
        let time = time::iso_basic(time::now());
        let date = time.get(..8).unwrap_or_default();
        let date_key = self
            .secret_key
            .sign(Algorithm::HmacSha256, sigv4::KEY_PREFIX, date.as_bytes())?;
        let url = self.url(&call)?;
        let mut headers = call.headers;
        add(&mut headers, "host", url.authority());
        add(&mut headers, "x-amz-date", &time);
        add(&mut headers, "x-amz-content-sha256", &call.payload);
        let canonical = Canonical {
            method: method_name(&call.method),
            path: url.path(),
            query: url.query().unwrap_or_default(),
            headers: &headers,
            payload: &call.payload,
        };
        let scope = Scope {
            region: &self.region,
            time: &time,
        };
        let authorization =
            sigv4::authorization(&canonical, &scope, &self.access_key, &date_key, secrets::sha256)?;
        let request = Request::new(call.method, url)
            .timeouts(self.timeouts)
            .header("authorization", authorization);
        // The host writes `host` itself, from the URL.
        let sent = headers.iter().filter(|(name, _)| name != "host");
        Ok(sent.fold(request, |request, (name, value)| request.header(name, value)))
    }

    fn url(&self, call: &Call<'_>) -> Result<Url, Error> {
        check_bucket(call.bucket, self.addressing)?;
        let key = percent_path(call.key);
        let url = match self.addressing {
            Addressing::Path if key.is_empty() => self.endpoint.join(call.bucket),
            Addressing::Path => self.endpoint.join(&format!("{}/{key}", call.bucket)),
            Addressing::Virtual => self
                .endpoint
                .with_label(call.bucket)
                .map_err(|reason| {
                    Error::unsupported(format!("no host is called after that bucket: {reason}"))
                })?
                .join(&key),
        };
        let mut parts: Vec<String> = call
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", percent(name), percent(value)))
            .collect();
        parts.sort();
        Ok(url.with_query(parts.join("&")))
    }
}

fn method_name(method: &Method) -> &str {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(name) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_driver::{Setting, SettingValue, Settings};

    fn url(endpoint: &str, addressing: Addressing, key: &str, query: &[(&str, &str)]) -> (String, String) {
        let secret = Settings::new(vec![Setting {
            name: "key".to_owned(),
            value: SettingValue::Text("key".to_owned()),
        }]);
        let client = Client {
            endpoint: Url::parse(endpoint).unwrap(),
            addressing,
            region: "us-east-1".to_owned(),
            access_key: "id".to_owned(),
            secret_key: secret.required_secret("key").unwrap(),
            timeouts: Timeouts::default(),
        };
        let url = client
            .url(&Call {
                query,
                ..Call::new(Method::Get, "bucket", key)
            })
            .unwrap();
        (url.authority().to_owned(), url.path_and_query())
    }

    #[test]
    fn a_bucket_stands_in_the_path_or_in_the_hosts_name() {
        let plain = |endpoint, addressing, key| url(endpoint, addressing, key, &[]);
        let both = |authority: &str, path: &str| (authority.to_owned(), path.to_owned());
        assert_eq!(
            plain("http://h:8080", Addressing::Path, ""),
            both("h:8080", "/bucket")
        );
        assert_eq!(
            plain("http://h/s3/", Addressing::Path, "a b/c"),
            both("h", "/s3/bucket/a%20b/c")
        );
        assert_eq!(plain("https://h", Addressing::Virtual, ""), both("bucket.h", "/"));
        assert_eq!(
            plain("https://h", Addressing::Virtual, "k+"),
            both("bucket.h", "/k%2B")
        );
    }

    #[test]
    fn the_query_is_sorted_as_it_is_signed() {
        let (_, path) = url(
            "http://h",
            Addressing::Path,
            "k",
            &[("uploadId", "a/b="), ("partNumber", "1"), ("x", "")],
        );
        assert_eq!(path, "/bucket/k?partNumber=1&uploadId=a%2Fb%3D&x=");
    }
}
