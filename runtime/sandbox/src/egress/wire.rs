//! A connection whose writing side cannot hang, and which still listens once writing has failed.
//!
//! Problem: a server that refuses a body ("no right", "no space") answers and closes; what the sender sees first is a write that
//! breaks, and an HTTP client that stops there loses the answer. Solution: a write that breaks, or that finds no taker for
//! the given time, is not told at once; it waits for [`LISTEN`], in which the other direction may still bring the answer. Bound:
//! the given time and [`LISTEN`]. Cost: one timer per connection.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// How long an answer is waited for after writing has failed.
const LISTEN: Duration = Duration::from_secs(3);

/// A byte stream: TCP, or TLS over it.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// What the writing side ran into, if anything.
#[derive(Debug, Clone, Default)]
pub(super) struct Trouble(Arc<Mutex<Option<ErrorKind>>>);

impl Trouble {
    pub(super) fn get(&self) -> Option<ErrorKind> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, kind: ErrorKind) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(kind);
    }
}

/// The connection.
pub(super) struct Wire {
    inner: Box<dyn Stream>,
    trouble: Trouble,
    /// How long a write may find no taker.
    patience: Duration,
    timer: Pin<Box<Sleep>>,
    armed: bool,
}

impl Wire {
    pub(super) fn new(inner: Box<dyn Stream>, patience: Duration) -> Self {
        Wire {
            inner,
            trouble: Trouble::default(),
            patience,
            timer: Box::pin(tokio::time::sleep(patience)),
            armed: false,
        }
    }

    pub(super) fn trouble(&self) -> Trouble {
        self.trouble.clone()
    }

    fn writing<T>(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut Box<dyn Stream>>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if self.trouble.get().is_none() {
            let kind = match write(Pin::new(&mut self.inner), context) {
                Poll::Ready(Ok(done)) => {
                    self.armed = false;
                    return Poll::Ready(Ok(done));
                }
                Poll::Ready(Err(error)) => error.kind(),
                Poll::Pending => {
                    if !self.armed {
                        self.timer.as_mut().reset(Instant::now() + self.patience);
                        self.armed = true;
                    }
                    ready!(self.timer.as_mut().poll(context));
                    ErrorKind::TimedOut
                }
            };
            self.trouble.set(kind);
            self.timer.as_mut().reset(Instant::now() + LISTEN);
        }
        ready!(self.timer.as_mut().poll(context));
        Poll::Ready(Err(self.trouble.get().unwrap_or(ErrorKind::BrokenPipe).into()))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writing(context, |inner, context| inner.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writing(context, |inner, context| {
            inner.poll_write_vectored(context, slices)
        })
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writing(context, |inner, context| inner.poll_flush(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.trouble.get().is_some() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
