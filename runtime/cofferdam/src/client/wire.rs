//! Requests over one connection that is kept and made anew when it has ended: whoever follows an operation goes on to
//! be answered by a service that takes no new connections, because it stops.
//!
//! A request that did not leave is sent again over a new connection; one that did, only if it is a GET. Bound: answers
//! of [`MAX_ANSWER`]; one request at a time.

use anyhow::Context;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::sync::Mutex;

use super::dial::{Credentials, Dial};
use super::target::Target;

/// Bytes of an answer that are read.
const MAX_ANSWER: usize = 64 << 20;

type Body = Full<Bytes>;

/// The way to one service.
pub(crate) struct Wire {
    dial: Dial,
    host: HeaderValue,
    token: Option<HeaderValue>,
    kept: Mutex<Option<SendRequest<Body>>>,
}

/// Why there is no answer.
enum Broken {
    /// The request did not leave.
    Unsent(Box<Request<Body>>),
    Error(anyhow::Error),
}

impl Wire {
    pub(super) fn new(target: &Target, credentials: &Credentials) -> anyhow::Result<Self> {
        let (host, token) = match target {
            Target::Unix(_) => (HeaderValue::from_static("cofferdam"), None),
            Target::Tcp(tcp) => {
                let token = HeaderValue::from_str(&credentials.token);
                let mut token = token.context("the token holds what no header may hold")?;
                token.set_sensitive(true);
                (HeaderValue::from_str(&tcp.authority)?, Some(token))
            }
        };
        Ok(Wire {
            dial: Dial::new(target, credentials)?,
            host,
            token,
            kept: Mutex::default(),
        })
    }

    pub(super) fn is_remote(&self) -> bool {
        matches!(self.dial.target, Target::Tcp(_))
    }

    /// Sends a request, whose URI is its path, and reads the answer.
    ///
    /// # Errors
    /// When the service cannot be reached, or breaks off.
    pub(super) async fn send(&self, mut request: Request<Body>) -> anyhow::Result<(StatusCode, Bytes)> {
        if let Target::Tcp(tcp) = &self.dial.target {
            *request.uri_mut() = format!("{}{}", tcp.prefix, request.uri()).parse::<Uri>()?;
        }
        request.headers_mut().insert(HOST, self.host.clone());
        if let Some(token) = &self.token {
            request.headers_mut().insert("x-auth-token", token.clone());
        }
        let mut kept = self.kept.lock().await;
        if let Some(mut sender) = kept.take().filter(|sender| !sender.is_closed()) {
            let again = (request.method() == Method::GET).then(|| request.clone());
            match answer(&mut sender, request).await {
                Ok(answer) => {
                    *kept = Some(sender);
                    return Ok(answer);
                }
                Err(Broken::Unsent(back)) => request = *back,
                Err(Broken::Error(error)) => request = again.ok_or(error)?,
            }
        }
        let mut sender = self.connect().await?;
        match answer(&mut sender, request).await {
            Ok(answer) => {
                *kept = Some(sender);
                Ok(answer)
            }
            Err(Broken::Unsent(_)) => anyhow::bail!("the service at {} hung up at once", self.dial.target),
            Err(Broken::Error(error)) => Err(error.context(format!("the service at {}", self.dial.target))),
        }
    }

    async fn connect(&self) -> anyhow::Result<SendRequest<Body>> {
        let stream = self.dial.connect().await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

async fn answer(
    sender: &mut SendRequest<Body>,
    request: Request<Body>,
) -> Result<(StatusCode, Bytes), Broken> {
    if sender.ready().await.is_err() {
        return Err(Broken::Unsent(Box::new(request)));
    }
    let answer = sender.try_send_request(request).await.map_err(|mut error| {
        let unsent = error.take_message();
        unsent.map_or_else(
            || Broken::Error(anyhow::Error::from(error.into_error()).context("the connection broke")),
            |request| Broken::Unsent(Box::new(request)),
        )
    })?;
    let status = answer.status();
    let bytes = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
    let bytes = bytes.map_err(|error| Broken::Error(anyhow::anyhow!("the answer broke off: {error}")))?;
    Ok((status, bytes.to_bytes()))
}
