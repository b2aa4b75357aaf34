//! One request and its answer over one connection.

use std::sync::Arc;

use http::uri::{PathAndQuery, Uri};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime_wasi_http::{Error, WasiBody};

use super::bodies::{AnswerBody, Flow, RequestBody, request_body};
use super::pool::Connection;
use super::times::Times;
use super::{Gateway, faults};
use crate::network::Target;

/// Headers that an answer may have.
const HEADERS: usize = 128;

type Request = http::Request<RequestBody>;

/// What came of handing a request to a connection.
enum Sent {
    /// Nothing of it went out: the server had closed the connection meanwhile.
    Back(Request),
    Answered(http::Response<hyper::body::Incoming>),
}

impl Gateway {
    /// Sends an admitted request and gives its answer.
    ///
    /// # Errors
    /// What went wrong with the connection or the answer's head.
    pub(super) async fn exchange(
        self: Arc<Self>,
        target: Target,
        request: http::Request<WasiBody>,
        times: Times,
        permit: OwnedSemaphorePermit,
    ) -> Result<http::Response<WasiBody>, Error> {
        let (mut head, body) = request.into_parts();
        head.version = http::Version::HTTP_11;
        let whole = head.uri.clone();
        let (body, flow) = request_body(body);
        let mut request = http::Request::from_parts(head, body);
        let (connection, answer) = loop {
            let (mut connection, fresh) = match self.pool.take(&target).await {
                Some(connection) => (connection, false),
                None => (self.connect(&target, times).await?, true),
            };
            *request.uri_mut() = written(&whole, connection.absolute)?;
            match send(&mut connection, request, &flow, times).await? {
                Sent::Answered(answer) => break (connection, answer),
                Sent::Back(_) if fresh => return Err(Error::ConnectionTerminated),
                Sent::Back(back) => request = back,
            }
        };
        let bytes: usize = answer
            .headers()
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum();
        if bytes > self.header_bytes {
            return Err(Error::HttpResponseHeaderSectionSize(u32::try_from(bytes).ok()));
        }
        if answer.status() == http::StatusCode::SWITCHING_PROTOCOLS {
            return Err(Error::HttpUpgradeFailed);
        }
        let early = !flow.has_ended();
        // The server has said no before it had all: the guest must stop writing and read the answer. After a yes it may
        // go on.
        if early && !answer.status().is_success() {
            flow.cut();
        }
        Ok(answer.map(|incoming| {
            AnswerBody::new(
                incoming,
                self.clone(),
                connection,
                !early,
                times.between_bytes,
                permit,
            )
            .boxed_unsync()
        }))
    }

    async fn connect(&self, target: &Target, times: Times) -> Result<Connection, Error> {
        let (wire, absolute) = self
            .dialer
            .dial(target, &self.policy, &self.denials, times)
            .await?;
        let trouble = wire.trouble();
        let (sender, driving) = http1::Builder::new()
            .max_headers(HEADERS)
            .max_header_size(self.header_bytes)
            .handshake(TokioIo::new(wire))
            .await
            .map_err(|error| faults::request(&error, trouble.get()))?;
        // Its end is told to whoever waits for an answer.
        let task = tokio::spawn(async move { drop(driving.await) });
        Ok(Connection {
            target: target.clone(),
            sender,
            trouble,
            task,
            absolute,
        })
    }
}

async fn send(
    connection: &mut Connection,
    request: Request,
    flow: &Flow,
    times: Times,
) -> Result<Sent, Error> {
    let waiting = async {
        flow.ended().await;
        tokio::time::sleep(times.first_byte).await;
    };
    let answer = tokio::select! {
        answer = connection.sender.try_send_request(request) => answer,
        () = waiting => return Err(Error::HttpResponseTimeout),
    };
    match answer {
        Ok(answer) => Ok(Sent::Answered(answer)),
        Err(mut error) => match error.take_message() {
            Some(back) => Ok(Sent::Back(back)),
            None => Err(faults::request(error.error(), connection.trouble.get())),
        },
    }
}

/// The URI as it stands in the request's first line: a path, or for a proxy the whole.
fn written(uri: &Uri, absolute: bool) -> Result<Uri, Error> {
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let slash = if path.starts_with('/') { "" } else { "/" };
    let mut parts = http::uri::Parts::default();
    let path = PathAndQuery::try_from(format!("{slash}{path}"));
    parts.path_and_query = Some(path.map_err(|_| Error::HttpRequestUriInvalid)?);
    if absolute {
        parts.scheme = uri.scheme().cloned();
        parts.authority = uri.authority().cloned();
    }
    Uri::from_parts(parts).map_err(|_| Error::HttpRequestUriInvalid)
}
