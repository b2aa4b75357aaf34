//! What a status means for the contract. Pure.
//!
//! | Status | Error |
//! |---|---|
//! | 401, 403 | unauthorized |
//! | 404, 410 | not-found |
//! | 413, 507 | out-of-space |
//! | 429, and 503 with `Retry-After` | throttled |
//! | 408, other 5xx | unavailable |
//! | all else that is not 2xx | failed |
//!
//! 409 and 412 mean something else with every storage: a driver that expects them looks at them first.

use super::{Headers, shown, time};
use crate::Error;

/// The longest pause that a storage may ask for: an hour. Who asks for more is asked again after it.
const LONGEST_PAUSE_SECONDS: u64 = 3600;

/// Whether the status says that all went well.
pub fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// The error for an answer that is no success. `what` completes "cannot ...", `detail` is what the server said of it.
pub fn error(status: u16, headers: &Headers, what: &str, detail: Option<&str>) -> Error {
    error_at(status, headers, what, detail, time::now)
}

fn error_at(
    status: u16,
    headers: &Headers,
    what: &str,
    detail: Option<&str>,
    now: impl FnOnce() -> u64,
) -> Error {
    let detail = detail.map(shown).filter(|detail| !detail.is_empty());
    let detail = detail.map_or(String::new(), |detail| format!(": {detail}"));
    let text = format!("cannot {what}: the server answered {status}{detail}");
    let asks = headers.get("retry-after");
    match status {
        401 | 403 => Error::unauthorized(text),
        404 | 410 => Error::not_found(text),
        413 | 507 => Error::out_of_space(text),
        429 => Error::throttled(asks.and_then(|asks| pause(asks, now)), text),
        503 if asks.is_some() => Error::throttled(asks.and_then(|asks| pause(asks, now)), text),
        408 | 500..=599 => Error::unavailable(text),
        300..=399 => Error::failed(format!("{text}; redirects are not followed")),
        _ => Error::failed(text),
    }
}

/// The pause that an answer asks for by `Retry-After`, in milliseconds: seconds or a date, at most an hour.
pub fn retry_after(headers: &Headers) -> Option<u32> {
    headers.get("retry-after").and_then(|asks| pause(asks, time::now))
}

/// Milliseconds from a `Retry-After`: seconds, or a date.
fn pause(text: &str, now: impl FnOnce() -> u64) -> Option<u32> {
    let seconds = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits that are no u64 are a very long time.
        text.parse().unwrap_or(u64::MAX)
    } else {
        time::parse_http_date(text)?.saturating_sub(now())
    };
    u32::try_from(seconds.min(LONGEST_PAUSE_SECONDS) * 1000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry_after(text: &str) -> Headers {
        Headers::new(vec![("Retry-After".to_owned(), text.as_bytes().to_vec())])
    }

    fn of(status: u16, headers: &Headers) -> Error {
        error_at(status, headers, "put it", Some("No\nWay"), || 784_111_777)
    }

    fn asked(headers: &Headers) -> Option<u32> {
        match of(429, headers) {
            Error::Throttled(throttle) => throttle.retry_after,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_status_has_its_error() {
        let none = Headers::default();
        assert!(matches!(of(401, &none), Error::Unauthorized(_)));
        assert!(matches!(of(403, &none), Error::Unauthorized(_)));
        assert!(matches!(of(404, &none), Error::NotFound(_)));
        assert!(matches!(of(413, &none), Error::OutOfSpace(_)));
        assert!(matches!(of(507, &none), Error::OutOfSpace(_)));
        assert!(matches!(of(429, &none), Error::Throttled(_)));
        assert!(matches!(of(503, &none), Error::Unavailable(_)));
        assert!(matches!(of(503, &retry_after("1")), Error::Throttled(_)));
        assert!(matches!(of(500, &none), Error::Unavailable(_)));
        assert!(matches!(of(400, &none), Error::Failed(_)));
        assert!(matches!(of(301, &none), Error::Failed(_)));
        assert!(matches!(of(99, &none), Error::Failed(_)));
    }

    #[test]
    fn a_pause_is_read_in_both_forms_and_capped() {
        assert_eq!(asked(&retry_after("7")), Some(7000));
        assert_eq!(asked(&retry_after("Sun, 06 Nov 1994 08:49:47 GMT")), Some(10_000));
        assert_eq!(asked(&retry_after("Sun, 06 Nov 1994 08:49:30 GMT")), Some(0));
        assert_eq!(asked(&retry_after("99999999999999999999999")), Some(3_600_000));
        for odd in ["", "-1", "soon"] {
            assert_eq!(asked(&retry_after(odd)), None, "{odd}");
        }
    }

    #[test]
    fn the_text_says_what_was_tried_and_what_came_back() {
        let Error::Unauthorized(text) = of(403, &Headers::default()) else {
            panic!("not unauthorized");
        };
        assert_eq!(text, "cannot put it: the server answered 403: No Way");
    }
}
