//! Events to a webhook, as CloudEvents 1.0 in structured JSON mode (CloudEvents, "HTTP Protocol Binding", 3.2).
//!
//! One request at a time, in the order of the events, each with the same `id` at every try, so that a receiver can tell
//! a repetition. A try has its own timeout; an event is tried [`TRIES`] times with a growing, jittered pause between
//! and then given up; an answer that says the request is wrong is not tried again. While a receiver is slow or
//! dead, events wait in the supervisor's channel, which keeps the newest 16,384: what is lost is counted and logged.
//! Nothing ever waits for this task. Heartbeats are not sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use cofferdam_supervisor::Event;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use uuid::Uuid;

use crate::error::ManagerError;
use crate::options::Webhook;

/// Tries for one event.
const TRIES: u32 = 5;

/// First pause between tries; it doubles.
const PAUSE: Duration = Duration::from_millis(500);

/// Bytes of an answer that are read before the connection is used again.
const MAX_ANSWER: usize = 64 << 10;

/// What became of the events.
#[derive(Debug, Default)]
pub struct Deliveries {
    sent: AtomicU64,
    given_up: AtomicU64,
    lost: AtomicU64,
}

impl Deliveries {
    /// Events that the receiver took.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Events that it did not take, whatever was tried.
    pub fn given_up(&self) -> u64 {
        self.given_up.load(Ordering::Relaxed)
    }

    /// Events that were never tried, because too many waited.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

struct Sender {
    webhook: Webhook,
    uri: Uri,
    source: String,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// Begins to send what comes through the channel.
///
/// # Errors
/// When the URL is none.
pub(crate) fn start(
    webhook: Webhook,
    host: &str,
    mut events: Receiver<Event>,
    deliveries: Arc<Deliveries>,
) -> Result<(), ManagerError> {
    let broken = |message: String| ManagerError::Service {
        message,
        remedy: "mend event_webhook in the configuration".into(),
    };
    let uri: Uri = webhook
        .url
        .parse()
        .map_err(|error| broken(format!("event_webhook {:?} is no URL: {error}", webhook.url)))?;
    // Without any system root every https receiver is refused by its handshake, which the log tells.
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
        .map_err(|error| broken(format!("the system's CA certificates cannot be read: {error}")))?
        .https_or_http()
        .enable_http1()
        .build();
    let sender = Sender {
        source: format!("/cofferdam/{host}"),
        client: Client::builder(TokioExecutor::new()).build(connector),
        uri,
        webhook,
    };
    tokio::spawn(async move {
        loop {
            match events.recv().await {
                Ok(Event::Heartbeat { .. }) => {}
                Ok(event) => {
                    let counter = match sender.deliver(&event).await {
                        Ok(()) => &deliveries.sent,
                        Err(reason) => {
                            tracing::warn!(kind = event.kind(), backend = event.backend(), %reason, "the webhook did not take an event");
                            &deliveries.given_up
                        }
                    };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
                Err(RecvError::Lagged(lost)) => {
                    tracing::warn!(lost, "events for the webhook were lost: it is too slow");
                    deliveries.lost.fetch_add(lost, Ordering::Relaxed);
                }
                Err(RecvError::Closed) => return,
            }
        }
    });
    Ok(())
}

/// Whether another try may help.
enum Refused {
    ForNow(String),
    ForGood(String),
}

impl Sender {
    async fn deliver(&self, event: &Event) -> Result<(), String> {
        let body = Bytes::from(envelope(&self.source, event).to_string());
        let mut pause = PAUSE;
        let mut tries = 1;
        loop {
            let attempt = tokio::time::timeout(self.webhook.timeout, self.post(body.clone()));
            let refused = match attempt.await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(refused)) => refused,
                Err(_) => Refused::ForNow(format!("no answer within {:?}", self.webhook.timeout)),
            };
            match refused {
                Refused::ForNow(_) if tries < TRIES => {}
                Refused::ForNow(reason) | Refused::ForGood(reason) => return Err(reason),
            }
            tokio::time::sleep(pause.mul_f64(0.8 + 0.4 * fastrand::f64())).await;
            (pause, tries) = (pause * 2, tries + 1);
        }
    }

    async fn post(&self, body: Bytes) -> Result<(), Refused> {
        let mut request = Request::post(self.uri.clone())
            .header(CONTENT_TYPE, "application/cloudevents+json; charset=utf-8")
            .header(USER_AGENT, concat!("cofferdam/", env!("CARGO_PKG_VERSION")));
        if let Some(file) = &self.webhook.token_file {
            let text = tokio::fs::read_to_string(file)
                .await
                .map_err(|error| Refused::ForNow(format!("{} cannot be read: {error}", file.display())))?;
            let token = text.lines().next().unwrap_or_default().trim();
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request
            .body(Full::new(body))
            .map_err(|error| Refused::ForGood(format!("the request cannot be made: {error}")))?;
        let answer = self.client.request(request).await.map_err(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            Refused::ForNow(format!("{error}{}", cause.unwrap_or_default()))
        })?;
        let status = answer.status();
        // Read to its end, so that the connection can be used again.
        let _ = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
        if status.is_success() {
            return Ok(());
        }
        let reason = format!("it answered {status}");
        let later = matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
        );
        Err(if later || status.is_server_error() {
            Refused::ForNow(reason)
        } else {
            Refused::ForGood(reason)
        })
    }
}

/// The event in its envelope.
fn envelope(source: &str, event: &Event) -> serde_json::Value {
    serde_json::json!({
        "specversion": "1.0",
        "id": Uuid::new_v4().to_string(),
        "source": source,
        "type": event.kind(),
        "subject": event.backend(),
        "time": event.at().to_string(),
        "datacontenttype": "application/json",
        "data": event,
    })
}
