//! What a guest says: standard output, standard error and the contract's `log`, as log lines of the host.
//!
//! Bound: one quota of bytes and lines per call for all three; what is over is dropped and counted, and one line says
//! so. Lines are cut and cleaned of control characters, so a guest can neither flood nor forge the host's log.
//! The values of the backend's secrets are taken out of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use crate::failure::clean;
use crate::limits::{Limits, TEXT};
use crate::secrets::Scrubber;

/// Bytes that a guest may write to standard output in one piece.
const PIECE: usize = 64 << 10;

/// Lines that are kept to explain a crash; a Rust panic has three.
const LAST_WORDS: usize = 4;

#[derive(Debug, Default)]
struct Quota {
    bytes: usize,
    lines: usize,
    dropped: u64,
    /// The begun line of standard output or error.
    partial: String,
    /// The last lines, kept to explain a crash.
    last: VecDeque<String>,
}

/// One instance's log.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    backend: Arc<str>,
    quota: Arc<Mutex<Quota>>,
    max_bytes: usize,
    max_lines: usize,
    scrubber: Scrubber,
}

impl Output {
    pub(crate) fn new(backend: Arc<str>, limits: &Limits, scrubber: Scrubber) -> Self {
        Output {
            backend,
            quota: Arc::default(),
            max_bytes: limits.output_bytes,
            max_lines: limits.output_lines,
            scrubber,
        }
    }

    fn quota(&self) -> MutexGuard<'_, Quota> {
        self.quota.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new call begins: the quota is whole again.
    pub(crate) fn begin_call(&self) {
        *self.quota() = Quota::default();
    }

    /// The call ended: the begun line is written, and what was dropped is told.
    pub(crate) fn end_call(&self) {
        let (partial, dropped) = {
            let mut quota = self.quota();
            (std::mem::take(&mut quota.partial), quota.dropped)
        };
        if !partial.is_empty() {
            self.line(tracing::Level::INFO, &partial);
        }
        if dropped > 0 {
            tracing::warn!(backend = %self.backend, bytes = dropped, "the driver's output is over its bound; dropped");
        }
    }

    /// The last lines that the guest wrote in this call; empty when there are none.
    pub(crate) fn last_words(&self) -> String {
        let quota = self.quota();
        let lines = quota
            .last
            .iter()
            .chain((!quota.partial.is_empty()).then_some(&quota.partial));
        let words = lines.map(String::as_str).collect::<Vec<_>>().join(" / ");
        clean(&self.scrubber.scrub(&words), TEXT)
    }

    /// One line of the guest's.
    pub(crate) fn line(&self, level: tracing::Level, text: &str) {
        let text = {
            let mut quota = self.quota();
            if quota.lines >= self.max_lines || quota.bytes + text.len() > self.max_bytes {
                quota.dropped += text.len() as u64;
                return;
            }
            quota.lines += 1;
            quota.bytes += text.len();
            let text = clean(&self.scrubber.scrub(text), TEXT);
            quota.last.push_back(text.clone());
            if quota.last.len() > LAST_WORDS {
                quota.last.pop_front();
            }
            text
        };
        let backend = &*self.backend;
        match level {
            tracing::Level::ERROR => tracing::error!(target: "driver", backend, "{text}"),
            tracing::Level::WARN => tracing::warn!(target: "driver", backend, "{text}"),
            tracing::Level::INFO => tracing::info!(target: "driver", backend, "{text}"),
            _ => tracing::debug!(target: "driver", backend, "{text}"),
        }
    }

    /// Bytes of standard output or error.
    fn bytes(&self, bytes: &[u8]) {
        let mut rest = String::from_utf8_lossy(bytes).into_owned();
        {
            let mut quota = self.quota();
            rest.insert_str(0, &std::mem::take(&mut quota.partial));
        }
        while let Some((line, after)) = rest.split_once('\n') {
            if !line.trim().is_empty() {
                self.line(tracing::Level::INFO, line.trim_end());
            }
            rest = after.to_owned();
        }
        let mut quota = self.quota();
        if rest.len() > TEXT {
            quota.dropped += (rest.len() - TEXT) as u64;
            rest = clean(&self.scrubber.scrub(&rest), TEXT);
        }
        quota.partial = rest;
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Only WASI 0.3 asks for this; nothing of it is linked.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > PIECE {
            return Err(StreamError::trap("more bytes written than check-write allowed"));
        }
        self.bytes(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PIECE)
    }
}
