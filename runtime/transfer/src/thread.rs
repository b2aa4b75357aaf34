//! Threads of a pipeline: each has a name, a result that can be awaited, and ends when its neighbours go.
//!
//! Threads of our own and not the runtime's blocking pool: the stages of one pipeline wait for one another, and a pool
//! that is full of first stages would never run a second one.

use tokio::sync::oneshot;

use crate::error::TransferError;

/// Why a stage stopped early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It failed itself.
    Error(TransferError),
    /// The stage before or behind it went away; that one knows why.
    Gone,
}

impl From<TransferError> for Stop {
    fn from(error: TransferError) -> Self {
        Stop::Error(error)
    }
}

/// What a running thread will give.
pub(crate) struct Running<T> {
    name: &'static str,
    result: oneshot::Receiver<T>,
}

/// Starts a thread. It is not killed when the handle is dropped: it ends by itself when its channels close.
pub(crate) fn spawn<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Running<T>, TransferError> {
    let (sender, result) = oneshot::channel();
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || drop(sender.send(work())))
        .map_err(|error| TransferError::internal(format!("cannot start the thread {name}: {error}")))?;
    Ok(Running { name, result })
}

impl<T> Running<T> {
    /// Waits for its end.
    pub(crate) async fn join(self) -> Result<T, TransferError> {
        let name = self.name;
        self.result
            .await
            .map_err(|_| TransferError::internal(format!("the thread {name} panicked")))
    }
}

/// The cause among the results of several stages: the first that failed itself.
pub(crate) fn cause(stops: impl IntoIterator<Item = Option<Stop>>) -> Option<TransferError> {
    let mut gone = None;
    for stop in stops.into_iter().flatten() {
        match stop {
            Stop::Error(error) => return Some(error),
            Stop::Gone => {
                gone = Some(TransferError::internal(
                    "a stage of the transfer ended without a reason",
                ))
            }
        }
    }
    gone
}
