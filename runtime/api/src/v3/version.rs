//! Microversions: which of Cinder's 3.0 to 3.71 a request speaks, and what that changes (cinder: `cinder/api/openstack/
//! api_version_request.py`). A request without the header speaks 3.0.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::fault::Fault;

/// The header of both directions.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("openstack-api-version");

/// The greatest minor version.
pub(crate) const MOST: u32 = 71;

/// The minor version that a request speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32);

impl Version {
    /// The version that the headers name: the word `volume` and `3.N` or `latest`, among those for other services.
    ///
    /// # Errors
    /// 400 for what is no version, 406 for one that is not served.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Fault> {
        for value in headers.get_all(HEADER) {
            let text = value
                .to_str()
                .map_err(|_| Fault::bad_request("API Version String is of invalid format."))?;
            for one in text.split(',') {
                let mut words = one.split_whitespace();
                if words
                    .next()
                    .is_none_or(|service| !service.eq_ignore_ascii_case("volume"))
                {
                    continue;
                }
                return match (words.next(), words.next()) {
                    (Some("latest"), None) => Ok(Version(MOST)),
                    (Some(version), None) => parse(version),
                    _ => Err(malformed(one.trim())),
                };
            }
        }
        Ok(Version(0))
    }

    /// Whether the request speaks that version, or a later one.
    pub(crate) fn has(self, minor: u32) -> bool {
        self.0 >= minor
    }

    /// As the answer's header has it.
    pub(crate) fn header(self) -> Option<HeaderValue> {
        HeaderValue::try_from(format!("volume 3.{}", self.0)).ok()
    }
}

fn malformed(text: &str) -> Fault {
    Fault::bad_request(format!(
        "API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum."
    ))
}

fn parse(text: &str) -> Result<Version, Fault> {
    let number = |digits: &str| {
        let sound = !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && (digits == "0" || !digits.starts_with('0'));
        sound.then(|| digits.parse::<u32>().unwrap_or(u32::MAX))
    };
    let (major, minor) = text.split_once('.').ok_or_else(|| malformed(text))?;
    match (number(major), number(minor)) {
        (Some(3), Some(minor)) if minor <= MOST => Ok(Version(minor)),
        (Some(_), Some(_)) => Err(Fault::not_acceptable(format!(
            "Version {text} is not supported by the API. Minimum is 3.0 and maximum is 3.{MOST}."
        ))),
        _ => Err(malformed(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<u32, u16> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, text.parse().unwrap());
        Version::of(&headers)
            .map(|version| version.0)
            .map_err(|fault| fault.status.as_u16())
    }

    #[test]
    fn the_version_for_volume_counts_and_none_is_the_first() {
        assert_eq!(
            Version::of(&HeaderMap::new()).map(|version| version.0).ok(),
            Some(0)
        );
        for (text, expected) in [
            ("volume 3.0", Ok(0)),
            ("volume 3.71", Ok(71)),
            ("volume latest", Ok(71)),
            ("compute 2.1, volume 3.45", Ok(45)),
            ("compute 2.1", Ok(0)),
            ("volume 3.72", Err(406)),
            ("volume 2.0", Err(406)),
            ("volume 3.99999999999", Err(406)),
            ("volume 3", Err(400)),
            ("volume", Err(400)),
            ("volume 3.07", Err(400)),
            ("volume 3.-1", Err(400)),
            ("volume 3.1 3.2", Err(400)),
            ("volume x.y", Err(400)),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }
}
