//! The engine's streams as WASI streams: what a driver's `put-object` reads from and its `get-object` writes to.
//!
//! Each end counts the bytes that go through it, so that whoever waits for the call can tell a stalled driver from a
//! slow one. Bound: one piece is held at each end. Cost: no copies; a read hands out a part of the piece.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use crate::stream::{Broken, Reader, Writer};

/// Bytes that a guest may write to a sink in one piece.
const PIECE: usize = 1 << 20;

/// Bytes that have gone through a call's stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter(Arc<AtomicU64>);

impl Meter {
    pub(crate) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The body of a `put-object`.
pub(crate) struct Body {
    reader: Reader,
    piece: Bytes,
    end: Option<Result<(), Broken>>,
    meter: Meter,
}

impl Body {
    pub(crate) fn new(reader: Reader, meter: Meter) -> Self {
        Body {
            reader,
            piece: Bytes::new(),
            end: None,
            meter,
        }
    }
}

#[async_trait::async_trait]
impl Pollable for Body {
    async fn ready(&mut self) {
        if self.piece.is_empty() && self.end.is_none() {
            match self.reader.next().await {
                Ok(Some(piece)) => self.piece = piece,
                Ok(None) => self.end = Some(Ok(())),
                Err(broken) => self.end = Some(Err(broken)),
            }
        }
    }
}

#[async_trait::async_trait]
impl InputStream for Body {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if !self.piece.is_empty() {
            let part = self.piece.split_to(size.min(self.piece.len()));
            self.meter.add(part.len());
            return Ok(part);
        }
        match &self.end {
            None => Ok(Bytes::new()),
            Some(Ok(())) => Err(StreamError::Closed),
            Some(Err(broken)) => Err(StreamError::LastOperationFailed(wasmtime::Error::new(
                broken.clone(),
            ))),
        }
    }
}

/// The sink of a `get-object`. The guest's end: the host finishes the stream when the call has succeeded.
pub(crate) struct Sink {
    writer: Writer,
    piece: Bytes,
    meter: Meter,
}

impl Sink {
    pub(crate) fn new(writer: Writer, meter: Meter) -> Self {
        Sink {
            writer,
            piece: Bytes::new(),
            meter,
        }
    }

    /// Hands the held piece on; true when none is held any more.
    fn pass_on(&mut self) -> StreamResult<bool> {
        if self.piece.is_empty() {
            return if self.writer.is_closed() {
                Err(StreamError::Closed)
            } else {
                Ok(true)
            };
        }
        match self.writer.try_write(std::mem::take(&mut self.piece)) {
            Ok(None) => Ok(true),
            Ok(Some(back)) => {
                self.piece = back;
                Ok(false)
            }
            Err(_) => Err(StreamError::Closed),
        }
    }
}

#[async_trait::async_trait]
impl Pollable for Sink {
    async fn ready(&mut self) {
        if !self.piece.is_empty() {
            // An error shows up in the next check-write.
            let _ = self.writer.reserve().await;
        }
    }
}

#[async_trait::async_trait]
impl OutputStream for Sink {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if !self.piece.is_empty() {
            return Err(StreamError::trap("written without asking check-write first"));
        }
        self.meter.add(bytes.len());
        self.piece = bytes;
        self.pass_on().map(drop)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(if self.pass_on()? { PIECE } else { 0 })
    }
}
