//! A request, sent once.
//!
//! A body is sent with its exact length where that is known, else in chunks; the host moves a streamed one. A server may answer before it has all of the
//! body: "no right", "no space". It then stops reading, and what the driver sees first is a body that cannot be written. So
//! a broken body is no verdict: the answer is waited for, briefly, and only when none comes the break itself is told.

use std::time::Duration;

use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme as WasiScheme,
};
use wasip2::io::poll::poll;
use wasip2::io::streams::StreamError;

use super::{Response, Scheme, Url, failure, shown, status};
use crate::bindings::cofferdam::backup::host;
use crate::pipe::{PipeError, pipe};
use crate::{BodyInfo, BodyNeeds, Error, InputStream, OutputStream};

/// What one write may hold: the greatest that `blocking-write-and-flush` and every host take.
const PIECE: usize = 4096;
/// How long the answer to a request is waited for whose body could not be written.
const PATIENCE: Duration = Duration::from_secs(5);

/// Time limits of one request. The host has limits of its own beside these.
#[derive(Debug, Default, Clone, Copy)]
pub struct Timeouts {
    /// Until the connection stands.
    pub connect: Option<Duration>,
    /// From the end of the request to the first byte of the answer.
    pub first_byte: Option<Duration>,
    /// Between any two pieces of the answer.
    pub between_bytes: Option<Duration>,
}

impl Timeouts {
    /// The same limit for all three.
    pub fn all(limit: Duration) -> Self {
        Self {
            connect: Some(limit),
            first_byte: Some(limit),
            between_bytes: Some(limit),
        }
    }
}

/// A request to be sent. Header values may hold the placeholders of secrets.
pub struct Request {
    method: Method,
    url: Url,
    headers: Vec<(String, Vec<u8>)>,
    timeouts: Timeouts,
}

impl Request {
    /// Without headers but a `user-agent`; the host adds `host`.
    pub fn new(method: Method, url: Url) -> Self {
        let agent = concat!("cofferdam/", env!("CARGO_PKG_VERSION"));
        Self {
            method,
            url,
            headers: vec![("user-agent".to_owned(), agent.as_bytes().to_vec())],
            timeouts: Timeouts::default(),
        }
    }

    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Sets the time limits.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sends it without a body.
    pub fn send(self) -> Result<Response, Error> {
        // Servers refuse a POST or PUT that does not say that it has none.
        let request = match &self.method {
            Method::Post | Method::Put => self.header("content-length", "0"),
            _ => self,
        };
        let origin = request.url.origin();
        let answer = request.start(false)?.future;
        receive(&answer, origin)
    }

    /// Sends it with a small body.
    pub fn send_bytes(self, body: &[u8]) -> Result<Response, Error> {
        self.send_with(Some(body.len() as u64), |sink| {
            for piece in body.chunks(PIECE) {
                write(sink, piece)?;
            }
            Ok(())
        })
        .map(|(response, ())| response)
    }

    /// Sends it with a streamed body of exactly `length` bytes, which the host moves. Whether the body is whole shows only
    /// behind its last byte; so that one is held back until then, and of a body that breaks the server never has all.
    pub fn send_stream(self, body: &InputStream, length: u64) -> Result<Response, Error> {
        let Some(most) = length.checked_sub(1) else {
            end(body).map_err(|error| broken_body(error, Some(length)))?;
            return self.send_bytes(&[]);
        };
        self.send_with(Some(length), |sink| {
            pipe(body, sink, Some(most))?;
            let last = match body.blocking_read(1) {
                Ok(last) => last,
                Err(StreamError::Closed) => return Err(PipeError::EarlyEnd(most)),
                Err(StreamError::LastOperationFailed(error)) => {
                    return Err(PipeError::SourceFailed(error.to_debug_string()));
                }
            };
            end(body)?;
            write(sink, &last)
        })
        .map(|(response, ())| response)
    }

    /// Sends it with a streamed body of which nobody knows the length: in chunks, the last of which says that the body is whole.
    /// One that breaks never gets it. Says how many bytes it had; nothing when the server answered before it had all.
    pub fn send_unsized(self, body: &InputStream) -> Result<(Response, Option<u64>), Error> {
        self.send_with(None, |sink| pipe(body, sink, None).map(Some))
    }

    /// The same as [`send_stream`](Request::send_stream), with the digests that `wanted` names of what was sent. There are none when the server answered
    /// before it had the whole body; then the answer is no success.
    pub fn send_digested(
        self,
        body: &InputStream,
        length: u64,
        wanted: BodyNeeds,
    ) -> Result<(Response, Option<BodyInfo>), Error> {
        self.send_with(Some(length), |sink| {
            host::pipe_digested(body, sink, Some(length), wanted).map(Some)
        })
    }

    /// Sends head and body. What `write` gives is its default when the body broke and the server's answer tells why.
    fn send_with<R: Default>(
        self,
        length: Option<u64>,
        write: impl FnOnce(&OutputStream) -> Result<R, PipeError>,
    ) -> Result<(Response, R), Error> {
        let origin = self.url.origin();
        let request = match length {
            Some(length) => self.header("content-length", length.to_string()),
            None => self,
        };
        let Started { future, body } = request.start(true)?;
        let body = body.ok_or_else(|| no_body(&origin))?;
        let stream = body.write().map_err(|()| no_body(&origin))?;
        let written = write(&stream);
        drop(stream);
        match written {
            Ok(written) => match OutgoingBody::finish(body, None) {
                Ok(()) => Ok((receive(&future, origin)?, written)),
                Err(code) => Ok((
                    early_answer(&future, origin, |origin| failure::error(&code, origin))?,
                    R::default(),
                )),
            },
            // `body` is dropped unfinished only after the answer came, so that the host does not cut it off.
            Err(PipeError::SinkFailed(text)) => Ok((
                early_answer(&future, origin, |origin| {
                    Error::unavailable(format!("{origin} took no more of the body: {}", shown(&text)))
                })?,
                R::default(),
            )),
            Err(error) => Err(broken_body(error, length)),
        }
    }

    fn start(self, with_body: bool) -> Result<Started, Error> {
        let origin = self.url.origin();
        let malformed = || Error::failed(format!("the host refused a part of a request to {origin}"));
        let fields = Fields::from_list(&self.headers).map_err(|_| malformed())?;
        let request = OutgoingRequest::new(fields);
        let scheme = match self.url.scheme() {
            Scheme::Http => WasiScheme::Http,
            Scheme::Https => WasiScheme::Https,
        };
        request.set_method(&self.method).map_err(|()| malformed())?;
        request.set_scheme(Some(&scheme)).map_err(|()| malformed())?;
        request
            .set_authority(Some(self.url.authority()))
            .map_err(|()| malformed())?;
        request
            .set_path_with_query(Some(&self.url.path_and_query()))
            .map_err(|()| malformed())?;
        let body = if with_body {
            Some(request.body().map_err(|()| no_body(&origin))?)
        } else {
            None
        };
        let future =
            handle(request, Some(options(self.timeouts))).map_err(|code| failure::error(&code, &origin))?;
        Ok(Started { future, body })
    }
}

struct Started {
    future: FutureIncomingResponse,
    body: Option<OutgoingBody>,
}

/// A host may not know one of the limits; its own then hold.
fn options(timeouts: Timeouts) -> RequestOptions {
    let nanoseconds = |limit: Option<Duration>| {
        limit.map(|limit| u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX).max(1))
    };
    let options = RequestOptions::new();
    let _ = options.set_connect_timeout(nanoseconds(timeouts.connect));
    let _ = options.set_first_byte_timeout(nanoseconds(timeouts.first_byte));
    let _ = options.set_between_bytes_timeout(nanoseconds(timeouts.between_bytes));
    options
}

/// The body must end here.
fn end(body: &InputStream) -> Result<(), PipeError> {
    match body.blocking_read(1) {
        Err(StreamError::Closed) => Ok(()),
        Err(StreamError::LastOperationFailed(error)) => Err(PipeError::SourceFailed(error.to_debug_string())),
        Ok(_) => Err(PipeError::SourceFailed(
            "it goes on behind its announced size".to_owned(),
        )),
    }
}

/// What a body that is not what was announced means for the put.
fn broken_body(error: PipeError, length: Option<u64>) -> Error {
    Error::failed(match error {
        PipeError::SourceFailed(text) | PipeError::SinkFailed(text) => {
            format!("the object's body broke off: {}", shown(&text))
        }
        PipeError::EarlyEnd(bytes) => match length {
            Some(length) => format!("the object's body ended after {bytes} bytes of {length}"),
            None => format!("the object's body ended after {bytes} bytes"),
        },
    })
}

/// Writes a piece. No flush: once all announced bytes are written, the host may have closed the stream already.
fn write(sink: &OutputStream, mut piece: &[u8]) -> Result<(), PipeError> {
    let failed = |error: StreamError| {
        PipeError::SinkFailed(match error {
            StreamError::Closed => "the connection was closed".to_owned(),
            StreamError::LastOperationFailed(error) => error.to_debug_string(),
        })
    };
    while !piece.is_empty() {
        sink.subscribe().block();
        let room = usize::try_from(sink.check_write().map_err(failed)?).unwrap_or(usize::MAX);
        let (now, later) = piece.split_at(room.min(piece.len()));
        if !now.is_empty() {
            sink.write(now).map_err(failed)?;
        }
        piece = later;
    }
    Ok(())
}

fn receive(future: &FutureIncomingResponse, origin: String) -> Result<Response, Error> {
    future.subscribe().block();
    match answer(future) {
        Ok(incoming) => Ok(Response::new(incoming, origin)),
        Err(code) => Err(failure::error(&code, &origin)),
    }
}

/// The answer to a request whose body could not be sent: waited for briefly. Without one, why there is none is the
/// error, if the host knows more than that the connection broke. One that claims success for a body that the server
/// cannot have is no answer.
fn early_answer(
    future: &FutureIncomingResponse,
    origin: String,
    broken: impl FnOnce(&str) -> Error,
) -> Result<Response, Error> {
    let patience = u64::try_from(PATIENCE.as_nanos()).unwrap_or(u64::MAX);
    let (ready, timer) = (future.subscribe(), subscribe_duration(patience));
    if !poll(&[&ready, &timer]).contains(&0) {
        return Err(broken(&origin));
    }
    match answer(future) {
        Ok(incoming) if !status::is_success(incoming.status()) => Ok(Response::new(incoming, origin)),
        Ok(_) | Err(ErrorCode::HttpProtocolError | ErrorCode::InternalError(None)) => Err(broken(&origin)),
        Err(code) => Err(failure::error(&code, &origin)),
    }
}

fn answer(future: &FutureIncomingResponse) -> Result<IncomingResponse, ErrorCode> {
    match future.get() {
        Some(Ok(answer)) => answer,
        // Not ready, or taken already: no host does that after `block`.
        Some(Err(())) | None => Err(ErrorCode::InternalError(None)),
    }
}

fn no_body(origin: &str) -> Error {
    Error::failed(format!("the host gave no body for a request to {origin}"))
}
