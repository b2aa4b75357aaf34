//! Bytes on their way between the engine and a driver: a bounded channel whose end is explicit.
//!
//! Problem: a body that merely stops must never be stored as if it were whole. So the writer must say `finish`;
//! a writer that is dropped, or that says `fail`, makes the reader fail, and the driver discards the object.
//! Bound: `pieces` pieces in the channel and one at each end, whatever the object's size; a slow reader holds up
//! the writer. Cost: one channel crossing per piece (64 KiB to 1 MiB), no copies.

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
    (Writer { sender }, Reader { receiver, end: None })
}

/// The end that bytes go in at.
#[derive(Debug, Clone)]
pub struct Writer {
    sender: mpsc::Sender<Message>,
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
    /// Writes one piece; waits while the channel is full. Empty pieces are not sent.
    pub async fn write(&self, piece: Bytes) -> Result<(), Closed> {
        if piece.is_empty() {
            return Ok(());
        }
        self.sender.send(Message::Data(piece)).await.map_err(|_| Closed)
    }

    /// As [`Writer::write`], from a thread that may block.
    pub fn blocking_write(&self, piece: Bytes) -> Result<(), Closed> {
        if piece.is_empty() {
            return Ok(());
        }
        self.sender
            .blocking_send(Message::Data(piece))
            .map_err(|_| Closed)
    }

    /// Says that all bytes were written.
    pub async fn finish(self) -> Result<(), Closed> {
        self.sender.send(Message::End).await.map_err(|_| Closed)
    }

    /// As [`Writer::finish`], from a thread that may block.
    pub fn blocking_finish(self) -> Result<(), Closed> {
        self.sender.blocking_send(Message::End).map_err(|_| Closed)
    }

    /// Says that the rest will not come, and why. The reader fails.
    pub async fn fail(self, reason: impl Into<String>) {
        let _ = self.sender.send(Message::Failed(reason.into())).await;
    }

    /// As [`Writer::fail`], from a thread that may block.
    pub fn blocking_fail(self, reason: impl Into<String>) {
        let _ = self.sender.blocking_send(Message::Failed(reason.into()));
    }

    /// Waits until one piece can be written without waiting.
    pub(crate) async fn reserve(&self) -> Result<(), Closed> {
        self.sender.reserve().await.map(drop).map_err(|_| Closed)
    }

    /// Whether the reader is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Writes without waiting; gives the piece back when the channel is full.
    pub(crate) fn try_write(&self, piece: Bytes) -> Result<Option<Bytes>, Closed> {
        match self.sender.try_send(Message::Data(piece)) {
            Ok(()) => Ok(None),
            Err(mpsc::error::TrySendError::Full(Message::Data(piece))) => Ok(Some(piece)),
            Err(_) => Err(Closed),
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
    async fn a_writer_learns_that_the_reader_is_gone() {
        let (writer, reader) = channel(1);
        drop(reader);
        assert_eq!(writer.write(Bytes::from_static(b"x")).await, Err(Closed));
    }
}
