//! An answer: status, headers, and a body that is read up to a limit or moved to a sink by the host.

use std::{fmt, io};

use wasip2::http::types::{IncomingBody, IncomingResponse, http_error_code};
use wasip2::io::error::Error as IoError;
use wasip2::io::streams::StreamError;

use super::{Headers, failure, shown, status};
use crate::pipe::{PipeError, pipe};
use crate::{Error, InputStream, OutputStream};

const PIECE: u64 = 64 * 1024;

/// An answer whose body was not read yet. Dropped, it lets go of the connection.
#[derive(Debug)]
pub struct Response {
    status: u16,
    headers: Headers,
    origin: String,
    incoming: IncomingResponse,
}

impl Response {
    pub(super) fn new(incoming: IncomingResponse, origin: String) -> Self {
        Self {
            status: incoming.status(),
            headers: Headers::new(incoming.headers().entries()),
            origin,
            incoming,
        }
    }

    /// Scheme and authority of who answered.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The status: 200 and the like. Hostile: any number.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        status::is_success(self.status)
    }

    /// All header fields.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The value of a header field, by its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// Bytes of the body, as announced.
    pub fn content_length(&self) -> Option<u64> {
        self.headers.number("content-length")
    }

    /// The error that the status means; see [`status::error`].
    pub fn error(&self, what: &str, detail: Option<&str>) -> Error {
        status::error(self.status, &self.headers, what, detail)
    }

    /// The whole body, of at most `limit` bytes. A body that breaks off is an error, and so is a longer one.
    pub fn bytes(self, limit: usize) -> Result<Vec<u8>, Error> {
        let too_long = || Error::failed(format!("{} answered more than {limit} bytes", self.origin));
        let body = self.body()?;
        let stream = self.stream(&body)?;
        let mut all = Vec::new();
        loop {
            match stream.blocking_read(PIECE) {
                Ok(piece) if all.len().saturating_add(piece.len()) > limit => return Err(too_long()),
                Ok(piece) => all.extend_from_slice(&piece),
                Err(StreamError::Closed) => return Ok(all),
                Err(StreamError::LastOperationFailed(error)) => return Err(self.broken(&error)),
            }
        }
    }

    /// The body as text, of at most `limit` bytes.
    pub fn text(self, limit: usize) -> Result<String, Error> {
        let origin = self.origin.clone();
        String::from_utf8(self.bytes(limit)?)
            .map_err(|_| Error::failed(format!("{origin} answered a text that is not UTF-8")))
    }

    /// The body as something to read from, for a parser that must not hold all of it. Whoever reads bounds it.
    pub fn reader(self) -> Result<BodyReader, Error> {
        let body = self.body()?;
        Ok(BodyReader {
            stream: self.stream(&body)?,
            _body: body,
            response: self,
        })
    }

    /// Moves exactly `length` bytes of the body into the sink. A body that ends earlier is `unavailable`: the
    /// storage announced more than it sent, which a second try may mend.
    pub fn pipe_into(self, sink: &OutputStream, length: u64) -> Result<u64, Error> {
        let body = self.body()?;
        let stream = self.stream(&body)?;
        pipe(&stream, sink, Some(length)).map_err(|error| match error {
            PipeError::SourceFailed(text) => Error::unavailable(format!(
                "the answer of {} broke off: {}",
                self.origin,
                shown(&text)
            )),
            PipeError::EarlyEnd(bytes) => Error::unavailable(format!(
                "the answer of {} ended after {bytes} bytes of {length}",
                self.origin
            )),
            PipeError::SinkFailed(text) => {
                Error::failed(format!("the receiver took no more bytes: {}", shown(&text)))
            }
        })
    }

    fn body(&self) -> Result<IncomingBody, Error> {
        self.incoming.consume().map_err(|()| self.taken())
    }

    fn stream(&self, body: &IncomingBody) -> Result<InputStream, Error> {
        body.stream().map_err(|()| self.taken())
    }

    fn taken(&self) -> Error {
        Error::failed(format!("the host gave no body for the answer of {}", self.origin))
    }

    fn broken(&self, error: &IoError) -> Error {
        match http_error_code(error) {
            Some(code) => failure::error(&code, &self.origin),
            None => Error::unavailable(format!("the answer of {} broke off", self.origin)),
        }
    }
}

/// A body that is read piece by piece. An answer that breaks off is an error, never an end.
// The fields are dropped in this order, as `wasi:http` wants it.
#[derive(Debug)]
pub struct BodyReader {
    stream: InputStream,
    _body: IncomingBody,
    response: Response,
}

impl io::Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match self.stream.blocking_read(PIECE.min(buffer.len() as u64)) {
                Ok(piece) if piece.is_empty() => {}
                // No host gives more than was asked for; what does not fit would be lost.
                Ok(piece) => match buffer.get_mut(..piece.len()) {
                    Some(place) => {
                        place.copy_from_slice(&piece);
                        return Ok(piece.len());
                    }
                    None => return Err(io::Error::other("the host gave more bytes than were asked for")),
                },
                Err(StreamError::Closed) => return Ok(0),
                Err(StreamError::LastOperationFailed(error)) => {
                    return Err(io::Error::other(Broken(self.response.broken(&error))));
                }
            }
        }
    }
}

/// The contract's error in the clothes that [`io::Error`] wants.
#[derive(Debug)]
struct Broken(Error);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for Broken {}

/// The contract's error that a [`BodyReader`] met; `None` when the error came from elsewhere.
pub fn broken_off(error: &io::Error) -> Option<Error> {
    let broken = error.get_ref()?.downcast_ref::<Broken>()?;
    Some(broken.0.clone())
}
