//! The two bodies of an exchange.
//!
//! A request's body can be cut off from outside: when the answer came before the body was through, the guest must stop
//! writing and look at the answer; to it the stream is closed. An answer's body gives its connection back when it was read to
//! its end, and is given up when nothing comes for too long.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, WasiBody};

use super::Gateway;
use super::faults;
use super::pool::Connection;

/// Bytes of an answer that nobody read which are read away, to keep its connection.
const LEFT_OVER: u64 = 64 << 10;

/// How long that may take.
const READ_AWAY: Duration = Duration::from_secs(1);

#[derive(Debug)]
enum State {
    Flows(WasiBody),
    Ended,
    Cut,
}

/// A request's body as seen from outside.
#[derive(Debug, Clone)]
pub(super) struct Flow(Arc<(Mutex<State>, Notify)>);

impl Flow {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn become_(&self, state: State) {
        // Dropped outside of the lock: a guest's body may wake others.
        let before = std::mem::replace(&mut *self.state(), state);
        drop(before);
        self.0.1.notify_waiters();
    }

    /// Whether all of it was sent.
    pub(super) fn has_ended(&self) -> bool {
        matches!(*self.state(), State::Ended)
    }

    /// Waits until all of it was sent.
    pub(super) async fn ended(&self) {
        loop {
            let mut told = std::pin::pin!(self.0.1.notified());
            told.as_mut().enable();
            if self.has_ended() {
                return;
            }
            told.await;
        }
    }

    /// Takes nothing more of it: to the guest it is closed, to the connection it goes on for ever.
    pub(super) fn cut(&self) {
        self.become_(State::Cut);
    }
}

/// A request's body.
#[derive(Debug)]
pub(crate) struct RequestBody(Flow);

/// A body, and the view of it from outside.
pub(super) fn request_body(body: WasiBody) -> (RequestBody, Flow) {
    let state = if body.is_end_stream() {
        State::Ended
    } else {
        State::Flows(body)
    };
    let flow = Flow(Arc::new((Mutex::new(state), Notify::new())));
    (RequestBody(flow.clone()), flow)
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = match &mut *self.0.state() {
            State::Flows(body) => ready!(Pin::new(body).poll_frame(context)),
            State::Ended => None,
            State::Cut => return Poll::Pending,
        };
        if frame.is_none() {
            self.0.become_(State::Ended);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &*self.0.state() {
            State::Flows(body) => body.is_end_stream(),
            State::Ended => true,
            State::Cut => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &*self.0.state() {
            State::Flows(body) => body.size_hint(),
            State::Ended => SizeHint::with_exact(0),
            State::Cut => SizeHint::default(),
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if !matches!(*self.0.state(), State::Cut) {
            self.0.become_(State::Ended);
        }
    }
}

/// An answer's body.
pub(super) struct AnswerBody {
    /// Some until it is dropped.
    incoming: Option<Incoming>,
    gateway: Arc<Gateway>,
    /// None once it was given back.
    connection: Option<Connection>,
    /// Whether the connection is good for another request.
    reusable: bool,
    patience: Duration,
    timer: Pin<Box<Sleep>>,
    armed: bool,
    permit: Option<OwnedSemaphorePermit>,
}

impl AnswerBody {
    pub(super) fn new(
        incoming: Incoming,
        gateway: Arc<Gateway>,
        connection: Connection,
        reusable: bool,
        patience: Duration,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let mut body = AnswerBody {
            incoming: Some(incoming),
            gateway,
            connection: Some(connection),
            reusable,
            patience,
            timer: Box::pin(tokio::time::sleep(patience)),
            armed: false,
            permit: Some(permit),
        };
        if body.is_end_stream() {
            body.end();
        }
        body
    }

    /// Nothing more comes.
    fn end(&mut self) {
        self.permit = None;
        if let Some(connection) = self.connection.take()
            && self.reusable
        {
            self.gateway.pool.put(connection);
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(incoming) = &mut self.incoming else {
            return Poll::Ready(None);
        };
        match Pin::new(incoming).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                self.armed = false;
                if self.is_end_stream() {
                    self.end();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                self.reusable = false;
                self.end();
                Poll::Ready(Some(Err(faults::answer(&error))))
            }
            Poll::Ready(None) => {
                self.end();
                Poll::Ready(None)
            }
            Poll::Pending => {
                if !self.armed {
                    let end = Instant::now() + self.patience;
                    self.timer.as_mut().reset(end);
                    self.armed = true;
                }
                ready!(self.timer.as_mut().poll(context));
                self.reusable = false;
                self.end();
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming
            .as_ref()
            .map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        let small = self.size_hint().upper().is_some_and(|left| left <= LEFT_OVER);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if self.reusable
            && small
            && let (Some(connection), Some(mut rest)) = (self.connection.take(), self.incoming.take())
        {
            let (gateway, permit) = (self.gateway.clone(), self.permit.take());
            runtime.spawn(async move {
                let reading = async { while let Some(Ok(_)) = rest.frame().await {} };
                if tokio::time::timeout(READ_AWAY, reading).await.is_ok() && rest.is_end_stream() {
                    gateway.pool.put(connection);
                }
                drop(permit);
            });
        }
    }
}
