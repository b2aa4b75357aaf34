//! How long a request waits for what. Pure.
//!
//! A guest says what it wants, the host how much there is: what is absent, nothing or more than the host's limit becomes the
//! limit. Within a call that has a deadline a request has at most three quarters of the time that is left, so that the guest
//! still learns what happened and can say it.

use std::time::Duration;

use wasmtime_wasi_http::RequestOptions;

use crate::limits::Limits;

/// The shortest time that is waited for anything.
const SHORTEST: Duration = Duration::from_millis(1);

/// The host's limits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Longest {
    connect: Duration,
    first_byte: Duration,
    between_bytes: Duration,
}

/// What holds for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    /// Resolving, dialling, proxy and TLS together.
    pub(super) connect: Duration,
    /// From the last byte of the request to the answer's head.
    pub(super) first_byte: Duration,
    /// Without a byte of the answer's body, or without one of the request's taken.
    pub(super) between_bytes: Duration,
}

impl Longest {
    pub(super) fn of(limits: &Limits) -> Self {
        Longest {
            connect: limits.http_connect_timeout,
            first_byte: limits.http_first_byte_timeout,
            between_bytes: limits.http_between_bytes_timeout,
        }
    }

    /// What a guest gets that has so much of its call left.
    pub(super) fn times(&self, wanted: RequestOptions, left: Option<Duration>) -> Times {
        let left = left.map_or(Duration::MAX, |left| left / 4 * 3);
        let fit = |wanted: Option<Duration>, limit: Duration| {
            let wanted = wanted.filter(|wanted| !wanted.is_zero()).unwrap_or(limit);
            wanted.min(limit).min(left).max(SHORTEST)
        };
        Times {
            connect: fit(wanted.connect_timeout, self.connect),
            first_byte: fit(wanted.first_byte_timeout, self.first_byte),
            between_bytes: fit(wanted.between_bytes_timeout, self.between_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_gets_less_when_it_asks_and_never_more() {
        let second = Duration::from_secs;
        let longest = Longest {
            connect: second(10),
            first_byte: second(300),
            between_bytes: second(60),
        };
        let ask = |span: Option<Duration>| RequestOptions {
            connect_timeout: span,
            first_byte_timeout: span,
            between_bytes_timeout: span,
        };
        let whole = longest.times(ask(None), None);
        assert_eq!(
            (whole.connect, whole.first_byte, whole.between_bytes),
            (second(10), second(300), second(60))
        );
        assert_eq!(longest.times(ask(Some(Duration::ZERO)), None), whole);
        assert_eq!(longest.times(ask(Some(Duration::MAX)), None), whole);
        assert_eq!(longest.times(ask(Some(second(2))), None).first_byte, second(2));
        assert_eq!(longest.times(ask(None), Some(second(8))).first_byte, second(6));
        assert_eq!(
            longest.times(ask(Some(Duration::from_nanos(1))), None).connect,
            SHORTEST
        );
    }
}
