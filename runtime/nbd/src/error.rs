//! What can go wrong with an NBD server, as values.
//!
//! One enum with a stable code each. What the server says is text of a stranger: control and direction characters
//! are taken out of it and it is cut to 300 characters, so that no log line or terminal is its to paint.
//! Whether the connection is still in step afterwards is part of the error, not of the place where it is seen.

use std::fmt;
use std::time::Duration;

/// Characters of a server's message that are kept.
const MESSAGE_CHARS: usize = 300;

/// A failure of the NBD client or of its server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NbdError {
    /// The text is not an address that can be used.
    #[error("not a usable NBD address: {reason}")]
    Address {
        /// What is wrong with it.
        reason: String,
    },
    /// The server cannot be reached.
    #[error("no connection to {address}: {reason}")]
    Connect {
        /// Where it should be.
        address: String,
        /// What the system says.
        reason: String,
    },
    /// The server speaks something else, or announces what cannot be.
    #[error("the NBD handshake failed: {reason}")]
    Handshake {
        /// What was not as it has to be.
        reason: String,
    },
    /// A reply that the protocol forbids. The connection is not used again.
    #[error("the NBD server broke the protocol: {reason}")]
    Protocol {
        /// What was not as it has to be.
        reason: String,
    },
    /// The server does not give the export, or not in this way.
    #[error("the NBD server refused {what}: {message}")]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// Its kind of refusal and its words, cleaned and cut.
        message: String,
    },
    /// The server answered a request with an error; the connection is still in step.
    #[error(
        "the NBD server failed while {doing} at byte {offset}: {errno}{}",
        Words(message)
    )]
    Io {
        /// The request.
        doing: &'static str,
        /// Where the request began.
        offset: u64,
        /// The server's reason.
        errno: NbdErrno,
        /// Its words, cleaned and cut; mostly empty.
        message: String,
    },
    /// The server stood still, or was slower than anything useful.
    #[error("the NBD server made no progress while {doing} within {after:?}")]
    Timeout {
        /// What was going on.
        doing: &'static str,
        /// The limit that was passed.
        after: Duration,
    },
    /// The server closed the connection or vanished.
    #[error("the connection to the NBD server was lost while {doing}: {reason}")]
    Lost {
        /// What was going on.
        doing: &'static str,
        /// What the system says.
        reason: String,
    },
    /// A write to what was opened for reading.
    #[error("this NBD export was opened for reading only")]
    ReadOnly,
    /// Bytes that the export does not have; nothing was sent.
    #[error("{length} bytes at byte {offset} are not within the {size} bytes of the NBD export")]
    OutOfRange {
        /// First byte asked for.
        offset: u64,
        /// Bytes asked for.
        length: u64,
        /// Bytes that the export has.
        size: u64,
    },
}

/// The errors that the NBD protocol knows, by the names of errno.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NbdErrno {
    /// EPERM, also a write to a read-only export.
    NotPermitted,
    /// EIO.
    InputOutput,
    /// ENOMEM.
    NoMemory,
    /// EINVAL.
    Invalid,
    /// ENOSPC, also beyond the end of the export.
    NoSpace,
    /// EOVERFLOW.
    TooLarge,
    /// ENOTSUP.
    NotSupported,
    /// ESHUTDOWN: the server is going down.
    ShuttingDown,
    /// A number that the protocol does not know; to be taken like EINVAL.
    Other(u32),
}

impl NbdErrno {
    /// The error behind a number on the wire.
    pub(super) fn from_wire(number: u32) -> Self {
        match number {
            1 => NbdErrno::NotPermitted,
            5 => NbdErrno::InputOutput,
            12 => NbdErrno::NoMemory,
            22 => NbdErrno::Invalid,
            28 => NbdErrno::NoSpace,
            75 => NbdErrno::TooLarge,
            95 => NbdErrno::NotSupported,
            108 => NbdErrno::ShuttingDown,
            other => NbdErrno::Other(other),
        }
    }
}

impl fmt::Display for NbdErrno {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            NbdErrno::NotPermitted => "operation not permitted (EPERM)",
            NbdErrno::InputOutput => "input/output error (EIO)",
            NbdErrno::NoMemory => "out of memory (ENOMEM)",
            NbdErrno::Invalid => "invalid argument (EINVAL)",
            NbdErrno::NoSpace => "no space left (ENOSPC)",
            NbdErrno::TooLarge => "value too large (EOVERFLOW)",
            NbdErrno::NotSupported => "not supported (ENOTSUP)",
            NbdErrno::ShuttingDown => "the server is shutting down (ESHUTDOWN)",
            NbdErrno::Other(number) => return write!(out, "error {number}"),
        })
    }
}

impl NbdError {
    /// A stable name for logs, tests and the caller's own errors.
    pub fn code(&self) -> &'static str {
        match self {
            NbdError::Address { .. } => "nbd-address",
            NbdError::Connect { .. } => "nbd-connect",
            NbdError::Handshake { .. } => "nbd-handshake",
            NbdError::Protocol { .. } => "nbd-protocol",
            NbdError::Refused { .. } => "nbd-refused",
            NbdError::Io {
                errno: NbdErrno::NoSpace,
                ..
            } => "nbd-no-space",
            NbdError::Io { .. } => "nbd-io",
            NbdError::Timeout { .. } => "nbd-timeout",
            NbdError::Lost { .. } => "nbd-lost",
            NbdError::ReadOnly => "nbd-read-only",
            NbdError::OutOfRange { .. } => "nbd-out-of-range",
        }
    }

    /// Whether the server ran out of room (ENOSPC).
    pub fn is_no_space(&self) -> bool {
        self.code() == "nbd-no-space"
    }

    /// Whether the connection is out of step and must not be used again.
    pub(super) fn ends_connection(&self) -> bool {
        !matches!(
            self,
            NbdError::Io { .. } | NbdError::ReadOnly | NbdError::OutOfRange { .. }
        )
    }

    pub(super) fn protocol(reason: impl Into<String>) -> Self {
        NbdError::Protocol {
            reason: reason.into(),
        }
    }

    pub(super) fn handshake(reason: impl Into<String>) -> Self {
        NbdError::Handshake {
            reason: reason.into(),
        }
    }

    pub(super) fn address(reason: impl Into<String>) -> Self {
        NbdError::Address {
            reason: reason.into(),
        }
    }
}

/// A server's words behind a colon, or nothing.
struct Words<'a>(&'a str);

impl fmt::Display for Words<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(out, ": {}", self.0)
    }
}

/// A stranger's text on one line, without control and direction characters, at most 300 characters.
pub(super) fn clean(bytes: &[u8]) -> String {
    // A character has at most four bytes; what is behind them is never looked at.
    let bytes = bytes.get(..MESSAGE_CHARS * 4).unwrap_or(bytes);
    let text: String = String::from_utf8_lossy(bytes)
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .filter(|letter| {
            !matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        })
        .take(MESSAGE_CHARS)
        .collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cleaned_and_cut() {
        assert_eq!(clean(b" no\x1b[31m such\r\nexport\0 "), "no [31m such  export");
        assert_eq!(clean("a\u{202e}b".as_bytes()), "ab");
        assert_eq!(clean(&vec![b'x'; 1 << 20]).len(), 300);
        assert_eq!(clean("ä".repeat(5000).as_bytes()).chars().count(), 300);
        assert_eq!(clean(b"\xff\xfe"), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn no_space_is_told_apart() {
        let failed = |number| NbdError::Io {
            doing: "writing",
            offset: 7,
            errno: NbdErrno::from_wire(number),
            message: String::new(),
        };
        assert!(failed(28).is_no_space());
        assert!(!failed(5).is_no_space());
        assert_eq!(
            failed(28).to_string(),
            "the NBD server failed while writing at byte 7: no space left (ENOSPC)"
        );
        for number in [1, 5, 12, 22, 28, 75, 95, 108] {
            assert!(!matches!(NbdErrno::from_wire(number), NbdErrno::Other(_)));
        }
        assert_eq!(NbdErrno::from_wire(4242), NbdErrno::Other(4242));
    }
}
