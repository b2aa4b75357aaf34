//! Logging in: credentials become a token, in the three dialects in which Swift is spoken to.
//!
//! Passwords never come here: headers and bodies hold the host's placeholders. Of what the identity service answers no text
//! reaches an error, since it might repeat what it was sent. Bound: one request, an answer of at most 1 MiB. [`v1`] and
//! [`keystone`] are the dialects.

mod keystone;
mod v1;

use cofferdam_driver::Error;
use cofferdam_driver::http::{Response, Timeouts};

use crate::catalog::Endpoint;
use crate::config::{Credentials, Identity};
use crate::options;

/// Bytes that an answer may have; catalogs of a hundred services stay below a tenth of it.
const LONGEST_ANSWER: usize = 1 << 20;
/// How [`Response::error`] begins for a login.
const CANNOT: &str = "cannot log in";
/// Bytes that a token may have.
const LONGEST_TOKEN: usize = 16 << 10;

/// What an identity service gave.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) token: Token,
    /// Seconds since 1970 at which the token ends, when that was said.
    pub(crate) expires: Option<u64>,
    pub(crate) place: Place,
}

/// A token, checked to be fit for a header. Its debug text does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl Token {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: Option<&str>) -> Option<Self> {
        let text = text?;
        let good =
            (1..=LONGEST_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        good.then(|| Self(text.to_owned()))
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

/// What was said of where the account is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Its URL.
    Account(Option<String>),
    /// A catalog, and the id of the project that the token is for.
    Catalog {
        endpoints: Vec<Endpoint>,
        project_id: Option<String>,
    },
}

/// Logs in once.
pub(crate) fn log_in(identity: &Identity, timeouts: Timeouts) -> Result<Granted, Error> {
    match &identity.credentials {
        Credentials::V1 { user, key } => v1::log_in(&identity.url, user, key, timeouts),
        Credentials::Keystone(credentials) => keystone::log_in(&identity.url, credentials, timeouts),
    }
    .map_err(told_apart)
}

/// What the network or the host's grants say reads the same for any server; here it is the identity service.
fn told_apart(error: Error) -> Error {
    match error {
        Error::Unavailable(text) if !text.starts_with(CANNOT) => {
            Error::unavailable(format!("{CANNOT}: {text}"))
        }
        Error::InvalidConfiguration(invalid) if invalid.option_name.is_empty() => {
            Error::invalid_configuration(options::AUTH_URL, invalid.reason)
        }
        other => other,
    }
}

/// The error that an answer without success means. 404 and the like come from a URL that is no identity service.
fn refusal(response: &Response) -> Error {
    refusal_of(response.status(), response.origin(), || {
        response.error("log in", None)
    })
}

fn refusal_of(status: u16, origin: &str, usual: impl FnOnce() -> Error) -> Error {
    match status {
        401 => Error::unauthorized(format!(
            "{origin} refused the login (401): user, password, project or domain is wrong, or the user is locked"
        )),
        403 => Error::unauthorized(format!(
            "{origin} forbade the login (403): the user may not log in so"
        )),
        300..=399 | 400 | 404..=407 | 410..=412 => {
            not_an_identity_service(origin, &format!("it answered {status}"))
        }
        _ => usual(),
    }
}

fn not_an_identity_service(origin: &str, found: &str) -> Error {
    Error::invalid_configuration(
        options::AUTH_URL,
        format!(
            "at {origin} nobody logs in by that path and {}: {found}",
            options::AUTH_VERSION
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_fit_for_a_header_and_not_shown() {
        for wrong in [None, Some(""), Some("a b"), Some("a\r\nb"), Some("é")] {
            assert_eq!(Token::parse(wrong), None, "{wrong:?}");
        }
        assert_eq!(Token::parse(Some(&"x".repeat(LONGEST_TOKEN + 1))), None);
        let token = Token::parse(Some("gAAAA-_=")).unwrap();
        assert_eq!(token.as_str(), "gAAAA-_=");
        assert_eq!(format!("{token:?}"), "Token");
    }

    #[test]
    fn what_keeps_the_login_from_happening_is_told_of_the_login() {
        let Error::Unavailable(text) = told_apart(Error::unavailable("http://k gave no answer")) else {
            panic!("not unavailable");
        };
        assert_eq!(text, "cannot log in: http://k gave no answer");
        let denied = told_apart(Error::invalid_configuration("", "not granted"));
        assert!(
            matches!(denied, Error::InvalidConfiguration(invalid) if invalid.option_name == options::AUTH_URL)
        );
    }

    #[test]
    fn a_refused_login_and_a_wrong_url_are_told_apart() {
        let of = |status| refusal_of(status, "http://k", || Error::unavailable("usual"));
        assert!(matches!(of(401), Error::Unauthorized(_)));
        for status in [302, 400, 404, 412] {
            assert!(matches!(of(status), Error::InvalidConfiguration(_)), "{status}");
        }
        assert!(matches!(of(503), Error::Unavailable(_)));
        assert!(matches!(of(429), Error::Unavailable(_)));
    }
}
