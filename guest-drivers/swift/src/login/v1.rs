//! Swift's own auth: user and key in headers, the account's URL and the token in headers.

use cofferdam_driver::http::{Headers, Method, Request, Timeouts, Url, time};
use cofferdam_driver::secrets::Encoding;
use cofferdam_driver::{Error, Secret};

use super::{Granted, Place, Token, not_an_identity_service, refusal};

pub(super) fn log_in(url: &Url, user: &str, key: &Secret, timeouts: Timeouts) -> Result<Granted, Error> {
    let response = Request::new(Method::Get, url.clone())
        .timeouts(timeouts)
        .header("x-auth-user", user)
        .header("x-auth-key", key.placeholder("", Encoding::Plain)?)
        .send()?;
    if !response.is_success() {
        return Err(refusal(&response));
    }
    granted(response.headers(), time::now())
        .ok_or_else(|| not_an_identity_service(response.origin(), "its answer holds no token"))
}

fn granted(headers: &Headers, now: u64) -> Option<Granted> {
    let token = headers
        .get("x-storage-token")
        .or_else(|| headers.get("x-auth-token"));
    Some(Granted {
        token: Token::parse(token)?,
        expires: headers
            .number("x-auth-token-expires")
            .map(|seconds| now.saturating_add(seconds)),
        place: Place::Account(headers.get("x-storage-url").map(str::to_owned)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fields: &[(&str, &str)]) -> Option<Granted> {
        let field = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        granted(&Headers::new(fields.iter().map(field).collect()), 1000)
    }

    #[test]
    fn token_end_and_account_are_in_the_headers() {
        let found = of(&[
            ("X-Auth-Token", "AUTH_tk1"),
            ("X-Storage-Url", "http://s/v1/AUTH_test"),
            ("X-Auth-Token-Expires", "86400"),
        ])
        .unwrap();
        assert_eq!((found.token.as_str(), found.expires), ("AUTH_tk1", Some(87400)));
        assert_eq!(
            found.place,
            Place::Account(Some("http://s/v1/AUTH_test".to_owned()))
        );
    }

    #[test]
    fn what_is_missing_or_odd_is_none() {
        assert!(of(&[("X-Storage-Url", "http://s/v1/AUTH_test")]).is_none());
        let found = of(&[("X-Storage-Token", "a"), ("X-Auth-Token-Expires", "-5")]).unwrap();
        assert_eq!((found.expires, found.place), (None, Place::Account(None)));
        let found = of(&[
            ("X-Auth-Token", "a"),
            ("X-Auth-Token-Expires", "18446744073709551615"),
        ])
        .unwrap();
        assert_eq!(found.expires, Some(u64::MAX));
    }
}
