//! A listener's connections, each within bounds: so many at once, so long for a handshake, a head and a body, and, on TCP,
//! for an answer that nobody takes. A client that is slow on purpose holds one place for a minute and no more.
//!
//! Life: a [`Server`] serves; after [`Server::close`] it takes no new connections and serves those it has; [`Server::end`] lets
//! each finish the request that it is at, within [`END`]. Requests that are too many wait in the kernel's queue.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::Request;
use axum::serve::Listener;
use futures::StreamExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};
use tower::ServiceExt;

use super::Tls;

/// Longest TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Longest time for the head of a request, the wait for it included: a connection that is not used is closed then.
const HEAD: Duration = Duration::from_secs(60);

/// Longest time for the body of a request.
const BODY: Duration = Duration::from_secs(60);

/// Longest time that bytes of an answer, or probes, go without a word from the other side of a TCP connection.
pub(crate) const UNTAKEN: Duration = Duration::from_secs(60);

/// Longest time for the last answers.
const END: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Serving,
    Closed,
    Ending,
}

/// One listener that is served.
pub(crate) struct Server {
    stage: watch::Sender<Stage>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves a listener, so many connections at once, from now on.
    pub(crate) fn start<L: Listener>(listener: L, router: Router, tls: Option<Arc<Tls>>, limit: usize) -> Self
    where
        L::Io: Sync,
    {
        let (stage, receiver) = watch::channel(Stage::Serving);
        Server {
            stage,
            task: tokio::spawn(serve(listener, router, tls, limit, receiver)),
        }
    }

    /// Takes no new connections.
    pub(crate) fn close(&self) {
        self.advance(Stage::Closed);
    }

    /// Lets each connection finish what it is at, and ends.
    pub(crate) async fn end(self) {
        self.advance(Stage::Ending);
        // Its bound is its own; an error says that it broke, and then it has ended too.
        let _ = self.task.await;
    }

    fn advance(&self, to: Stage) {
        self.stage.send_if_modified(|stage| {
            let further = *stage < to;
            *stage = to.max(*stage);
            further
        });
    }
}

async fn serve<L: Listener>(
    mut listener: L,
    router: Router,
    tls: Option<Arc<Tls>>,
    limit: usize,
    stage: watch::Receiver<Stage>,
) where
    L::Io: Sync,
{
    let limit = Arc::new(Semaphore::new(limit));
    let mut connections = JoinSet::new();
    let mut closed = stage.clone();
    loop {
        while connections.try_join_next().is_some() {}
        let next = async {
            let permit = limit.clone().acquire_owned().await;
            (listener.accept().await.0, permit)
        };
        let (stream, permit) = tokio::select! {
            next = next => next,
            _ = closed.wait_for(|stage| *stage != Stage::Serving) => break,
        };
        // The semaphore is never closed.
        let Ok(permit) = permit else { break };
        match &tls {
            None => connections.spawn(connection(stream, router.clone(), stage.clone(), permit)),
            Some(tls) => {
                let (acceptor, router, stage) = (tls.acceptor(), router.clone(), stage.clone());
                connections.spawn(async move {
                    match timeout(HANDSHAKE, acceptor.accept(stream)).await {
                        Ok(Ok(stream)) => connection(stream, router, stage, permit).await,
                        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                        Err(_) => tracing::debug!("a TLS handshake took too long"),
                    }
                })
            }
        };
    }
    drop(listener);
    let _ = closed.wait_for(|stage| *stage == Stage::Ending).await;
    let ended = async { while connections.join_next().await.is_some() {} };
    if timeout(END, ended).await.is_err() {
        tracing::warn!(
            left = connections.len(),
            "connections did not end in time and are cut"
        );
    }
}

/// Serves one connection; the permit is its place among the others.
async fn connection<S>(
    stream: S,
    router: Router,
    mut stage: watch::Receiver<Stage>,
    _permit: OwnedSemaphorePermit,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| router.clone().oneshot(request.map(bounded)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ending = async {
        let _ = stage.wait_for(|stage| *stage == Stage::Ending).await;
    };
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = ending => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection broke");
    }
}

/// A body that must have come within [`BODY`].
fn bounded(body: Incoming) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    let (stream, deadline) = (Body::new(body).into_data_stream(), Instant::now() + BODY);
    Body::from_stream(futures::stream::try_unfold(
        stream,
        move |mut stream| async move {
            match timeout_at(deadline, stream.next()).await {
                Ok(Some(Ok(bytes))) => Ok(Some((bytes, stream))),
                Ok(Some(Err(error))) => Err(io::Error::other(error)),
                Ok(None) => Ok(None),
                Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the body took too long")),
            }
        },
    ))
}

#[cfg(test)]
mod tests;
