//! What can go wrong with a request, and with which.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, Full};

use super::body::Body;

/// An answer in the server's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Answer {
    /// A status without headers and body.
    pub fn status(status: StatusCode) -> Self {
        Answer {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// The same with a pause that is asked for, in seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        self.header(http::header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// The same with a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same with a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub(super) fn response(self) -> http::Response<Body> {
        let body = Full::new(self.body)
            .map_err(|never| match never {})
            .boxed_unsync();
        let mut response = http::Response::new(body);
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response
    }
}

/// What goes wrong with one request. Positions count the bytes of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The server gets the request only after a while.
    Late(Duration),
    /// The server's answer is passed on only after a while.
    Withheld(Duration),
    /// An answer in the server's place, at once, with the request's body unread.
    Answer(Answer),
    /// The same after the request's body was read away.
    AnswerAfterBody(Answer),
    /// The server does what was asked; this answer comes in place of its own.
    AnswerAfterServer(Answer),
    /// The connection is reset before the server gets anything.
    ResetBefore,
    /// The server gets so many bytes of the request's body; then both connections break.
    ResetInRequest(u64),
    /// The server does what was asked; the connection is reset in place of its answer.
    ResetAfter,
    /// So many bytes of the answer's body come; then the connection is reset.
    ResetInAnswer(u64),
    /// So many bytes of the answer's body come, under the right length; then the connection is closed in good order.
    ShortAnswer(u64),
    /// So many bytes of rubbish come behind the answer's body, and its length counts them.
    LongAnswer(usize),
    /// The same, but its length does not count them: they stand where the next answer should.
    TrailingRubbish(usize),
    /// One bit of the request's body is another when the server gets it.
    FlipInRequest(u64),
    /// One bit of the answer's body is another when it is passed on.
    FlipInAnswer(u64),
    /// The answer's body comes so many bytes at a time, with such pauses.
    Trickle {
        /// Bytes of one piece.
        bytes: usize,
        /// Before each piece.
        pause: Duration,
    },
    /// After so many bytes nothing of the request's body is taken any more.
    StallInRequest(u64),
}

/// Which requests a fault is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    method: Option<Method>,
    uri: String,
    with_body: bool,
    skip: usize,
    times: usize,
    pub(super) fault: Fault,
}

impl Rule {
    /// For every request whose path or query holds a text.
    pub fn new(uri: impl Into<String>, fault: Fault) -> Self {
        Rule {
            method: None,
            uri: uri.into(),
            with_body: false,
            skip: 0,
            times: usize::MAX,
            fault,
        }
    }

    /// Only for requests of this method.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only for requests that bring a body.
    #[must_use]
    pub fn with_body(mut self) -> Self {
        self.with_body = true;
        self
    }

    /// Only from the nth such request on, from 0.
    #[must_use]
    pub fn skip(mut self, requests: usize) -> Self {
        self.skip = requests;
        self
    }

    /// Only for so many of them.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    pub(super) fn fits(&self, method: &Method, uri: &str, has_body: bool) -> bool {
        let method = self.method.as_ref().is_none_or(|own| own == method);
        method && uri.contains(&self.uri) && (has_body || !self.with_body)
    }

    /// Whether the nth request that fits is meant, from 1.
    pub(super) fn has_its_turn(&self, met: usize) -> bool {
        met > self.skip && met - self.skip <= self.times
    }
}
