//! Bytes on their way between the engine and a driver: a bounded channel whose end is explicit.
//!
//! Problem: a body that merely stops must never be stored as if it were whole. So the writer must say `finish`;
//! a writer that is dropped, or that says `fail`, makes the reader fail, and the driver discards the object.
//! Bound: `pieces` pieces in the channel and one at each end, whatever the object's size; a slow reader holds up
//! the writer. Cost: one channel crossing per piece (64 KiB to 1 MiB), no copies.
//!
//! Whoever wants to try again when a writer fails lends it an [`Attempt`]: it counts what got through, its end is not the
//! stream's, and once it is over nothing more of it gets through, however late its writer comes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc;

/// Pieces a channel holds unless the caller says otherwise.
pub const DEFAULT_PIECES: usize = 4;

enum Message {
    Data(Bytes),
    Failed(String),
    End,
}

/// The other side is gone: nothing that is written will be read any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the reader of the stream is gone")]
pub struct Closed;

/// The stream ended without its writer having finished it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub String);

/// Makes a stream that holds at most `pieces` pieces (at least one).
pub fn channel(pieces: usize) -> (Writer, Reader) {
    let (sender, receiver) = mpsc::channel(pieces.max(1));
    let writer = Writer {
        sender,
        attempt: None,
    };
    (writer, Reader { receiver, end: None })
}

/// The end that bytes go in at.
#[derive(Debug, Clone)]
pub struct Writer {
    sender: mpsc::Sender<Message>,
    attempt: Option<Attempt>,
}

/// One of several tries to write a stream, as seen by whoever makes them.
#[derive(Debug, Clone)]
pub struct Attempt(Arc<Mutex<Written>>);

#[derive(Debug)]
struct Written {
    bytes: u64,
    over: bool,
}

impl Attempt {
    fn written(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it: what its writer writes from now on is refused. Says how many bytes got through.
    pub fn end(&self) -> u64 {
        let mut written = self.written();
        written.over = true;
        written.bytes
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Message::Data(bytes) => write!(f, "Data({} bytes)", bytes.len()),
            Message::Failed(reason) => write!(f, "Failed({reason})"),
            Message::End => f.write_str("End"),
        }
    }
}

impl Writer {
    /// A writer to the same stream that can be followed by another one: `finish` and `fail` of it say nothing to the reader.
    pub fn attempt(&self) -> (Writer, Attempt) {
        let attempt = Attempt(Arc::new(Mutex::new(Written {
            bytes: 0,
            over: false,
        })));
        let writer = Writer {
            sender: self.sender.clone(),
            attempt: Some(attempt.clone()),
        };
        (writer, attempt)
    }

    /// Writes one piece; waits while the channel is full. Empty pieces are not sent.
    pub async fn write(&self, piece: Bytes) -> Result<(), Closed> {
        if piece.is_empty() {
            return Ok(());
        }
        let place = self.sender.reserve().await.map_err(|_| Closed)?;
        self.send(place, piece)
    }

    /// Uses a place in the channel, unless the attempt is over.
    fn send(&self, place: mpsc::Permit<'_, Message>, piece: Bytes) -> Result<(), Closed> {
        let Some(attempt) = &self.attempt else {
            place.send(Message::Data(piece));
            return Ok(());
        };
        let mut written = attempt.written();
        if written.over {
            return Err(Closed);
        }
        written.bytes += piece.len() as u64;
        place.send(Message::Data(piece));
        Ok(())
    }

    /// As [`Writer::write`], from a thread that may block.
    pub fn blocking_write(&self, piece: Bytes) -> Result<(), Closed> {
        futures::executor::block_on(self.write(piece))
    }

    /// Says that all bytes were written.
    pub async fn finish(self) -> Result<(), Closed> {
        match self.attempt {
            Some(_) => Ok(()),
            None => self.sender.send(Message::End).await.map_err(|_| Closed),
        }
    }

    /// As [`Writer::finish`], from a thread that may block.
    pub fn blocking_finish(self) -> Result<(), Closed> {
        futures::executor::block_on(self.finish())
    }

    /// Says that the rest will not come, and why. The reader fails.
    pub async fn fail(self, reason: impl Into<String>) {
        if self.attempt.is_none() {
            let _ = self.sender.send(Message::Failed(reason.into())).await;
        }
    }

    /// As [`Writer::fail`], from a thread that may block.
    pub fn blocking_fail(self, reason: impl Into<String>) {
        futures::executor::block_on(self.fail(reason));
    }

    /// Waits until one piece can be written without waiting.
    pub(crate) async fn reserve(&self) -> Result<(), Closed> {
        self.sender.reserve().await.map(drop).map_err(|_| Closed)
    }

    /// Whether nothing that is written gets through any more: the reader is gone, or the attempt over.
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
            || self
                .attempt
                .as_ref()
                .is_some_and(|attempt| attempt.written().over)
    }

    /// Writes without waiting; gives the piece back when the channel is full.
    pub(crate) fn try_write(&self, piece: Bytes) -> Result<Option<Bytes>, Closed> {
        match self.sender.try_reserve() {
            Ok(place) => self.send(place, piece).map(|()| None),
            Err(mpsc::error::TrySendError::Full(())) => Ok(Some(piece)),
            Err(mpsc::error::TrySendError::Closed(())) => Err(Closed),
        }
    }
}

/// The end that bytes come out at.
#[derive(Debug)]
pub struct Reader {
    receiver: mpsc::Receiver<Message>,
    end: Option<Result<(), Broken>>,
}

impl Reader {
    /// The next piece; `None` once the writer finished.
    ///
    /// # Errors
    /// [`Broken`] when the writer failed or was dropped before it finished; from then on always.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        if let Some(end) = &self.end {
            return end.clone().map(|()| None);
        }
        let message = self.receiver.recv().await;
        self.take(message)
    }

    /// As [`Reader::next`], from a thread that may block.
    pub fn blocking_next(&mut self) -> Result<Option<Bytes>, Broken> {
        if let Some(end) = &self.end {
            return end.clone().map(|()| None);
        }
        let message = self.receiver.blocking_recv();
        self.take(message)
    }

    fn take(&mut self, message: Option<Message>) -> Result<Option<Bytes>, Broken> {
        let end = match message {
            Some(Message::Data(piece)) => return Ok(Some(piece)),
            Some(Message::End) => Ok(()),
            Some(Message::Failed(reason)) => Err(Broken(reason)),
            None => Err(Broken(
                "the writer of the stream went away before it had finished".into(),
            )),
        };
        self.receiver.close();
        self.end = Some(end.clone());
        end.map(|()| None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_finished_stream_ends_and_a_dropped_writer_breaks_it() {
        let (writer, mut reader) = channel(2);
        writer.write(Bytes::from_static(b"ab")).await.unwrap();
        writer.finish().await.unwrap();
        assert_eq!(reader.next().await.unwrap().unwrap(), "ab");
        assert_eq!(reader.next().await, Ok(None));
        assert_eq!(reader.next().await, Ok(None));

        let (writer, mut reader) = channel(2);
        writer.write(Bytes::from_static(b"ab")).await.unwrap();
        drop(writer);
        reader.next().await.unwrap();
        assert!(reader.next().await.is_err());
        assert!(reader.next().await.is_err());
    }

    #[tokio::test]
    async fn a_failed_stream_carries_its_reason() {
        let (writer, mut reader) = channel(1);
        writer.fail("the volume shrank").await;
        assert_eq!(reader.next().await, Err(Broken("the volume shrank".into())));
    }

    #[tokio::test]
    async fn an_attempt_that_is_over_writes_nothing_more_and_ends_nothing() {
        let (writer, mut reader) = channel(8);
        let (first, attempt) = writer.attempt();
        first.write(Bytes::from_static(b"ab")).await.unwrap();
        let late = first.clone();
        first.fail("the connection broke").await;
        assert_eq!(attempt.end(), 2);
        assert!(late.is_closed());
        assert_eq!(late.try_write(Bytes::from_static(b"x")), Err(Closed));
        assert_eq!(late.write(Bytes::from_static(b"x")).await, Err(Closed));
        let (second, attempt) = writer.attempt();
        second.write(Bytes::from_static(b"cde")).await.unwrap();
        second.finish().await.unwrap();
        assert_eq!(attempt.end(), 3);
        assert!(!writer.is_closed());
        writer.finish().await.unwrap();
        assert_eq!(reader.next().await.unwrap().unwrap(), "ab");
        assert_eq!(reader.next().await.unwrap().unwrap(), "cde");
        assert_eq!(reader.next().await, Ok(None));
    }

    #[tokio::test]
    async fn a_writer_learns_that_the_reader_is_gone() {
        let (writer, reader) = channel(1);
        drop(reader);
        assert_eq!(writer.write(Bytes::from_static(b"x")).await, Err(Closed));
    }
}
