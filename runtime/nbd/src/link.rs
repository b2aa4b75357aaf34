//! A byte stream to a server that may stand still, dribble, or promise more than it sends.
//!
//! Two limits hold for every request. Each wait for the socket ends after the timeout: no progress. The whole request
//! ends after the timeout and a second more for every 16 KiB that it moves: no server, however it dribbles, holds a thread
//! for ever. The second limit is looked at between waits, so it may be passed by one timeout. Bytes are taken only
//! into memory whose size was checked before.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use super::error::NbdError;

/// Bytes per second below which a server is as good as dead.
const SLOWEST: u64 = 16 << 10;

/// A flush may have to bring the writes of minutes to a disk.
const FLUSH_FACTOR: u32 = 10;

/// A stream whose single waits can be bounded.
pub(super) trait Patience: Read + Write {
    /// From now on no read or write waits for longer.
    fn wait_at_most(&self, limit: Duration) -> io::Result<()>;
}

/// A stream with its limits.
#[derive(Debug)]
pub(super) struct Link<S> {
    stream: S,
    timeout: Duration,
    limit: Duration,
    deadline: Option<Instant>,
    doing: &'static str,
}

impl<S: Patience> Link<S> {
    /// `timeout` must already hold for the stream.
    pub(super) fn new(stream: S, timeout: Duration) -> Self {
        Link {
            stream,
            timeout,
            limit: timeout,
            deadline: None,
            doing: "connecting",
        }
    }

    /// Another timeout from now on.
    pub(super) fn set_timeout(&mut self, timeout: Duration) -> Result<(), NbdError> {
        self.timeout = timeout;
        self.wait_at_most(timeout)
    }

    /// Begins a request that moves that many bytes.
    pub(super) fn begin(&mut self, doing: &'static str, bytes: u64) {
        self.doing = doing;
        self.limit = self.timeout.saturating_add(Duration::from_secs(bytes / SLOWEST));
        self.deadline = Instant::now().checked_add(self.limit);
    }

    /// Begins a request for which the server may work long without a sign; `end_long` must follow.
    pub(super) fn begin_long(&mut self, doing: &'static str) -> Result<(), NbdError> {
        self.begin(doing, 0);
        self.limit = self.timeout.saturating_mul(FLUSH_FACTOR);
        self.deadline = Instant::now().checked_add(self.limit);
        self.wait_at_most(self.limit)
    }

    pub(super) fn end_long(&mut self) -> Result<(), NbdError> {
        self.wait_at_most(self.timeout)
    }

    pub(super) fn wait_at_most(&self, limit: Duration) -> Result<(), NbdError> {
        self.stream.wait_at_most(limit).map_err(|error| self.lost(&error))
    }

    fn lost(&self, error: &io::Error) -> NbdError {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.late(),
            _ => NbdError::Lost {
                doing: self.doing,
                reason: error.to_string(),
            },
        }
    }

    fn late(&self) -> NbdError {
        NbdError::Timeout {
            doing: self.doing,
            after: self.limit,
        }
    }

    fn check(&self) -> Result<(), NbdError> {
        match self.deadline {
            Some(deadline) if Instant::now() > deadline => Err(self.late()),
            _ => Ok(()),
        }
    }

    /// Fills the whole buffer.
    pub(super) fn read(&mut self, mut buffer: &mut [u8]) -> Result<(), NbdError> {
        while !buffer.is_empty() {
            self.check()?;
            match self.stream.read(buffer) {
                Ok(0) => {
                    return Err(NbdError::Lost {
                        doing: self.doing,
                        reason: "the server closed it".into(),
                    });
                }
                Ok(count) => buffer = buffer.get_mut(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.lost(&error)),
            }
        }
        Ok(())
    }

    /// The next bytes of a fixed number.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], NbdError> {
        let mut bytes = [0; N];
        self.read(&mut bytes)?;
        Ok(bytes)
    }

    /// The next bytes, if they are not more than `most`.
    pub(super) fn payload(&mut self, length: u32, most: usize) -> Result<Vec<u8>, NbdError> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > most {
            return Err(NbdError::protocol(format!(
                "a message of {length} bytes, where {most} are the most"
            )));
        }
        let mut bytes = vec![0; length];
        self.read(&mut bytes)?;
        Ok(bytes)
    }

    /// Sends all bytes.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<(), NbdError> {
        while !bytes.is_empty() {
            self.check()?;
            match self.stream.write(bytes) {
                Ok(0) => return Err(self.lost(&io::ErrorKind::WriteZero.into())),
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.lost(&error)),
            }
        }
        Ok(())
    }
}
