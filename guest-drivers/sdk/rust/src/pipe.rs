//! Moving an object's bytes: one call into the host for all of them, which never enter the guest.
//!
//! The host's `pipe` says only in words why a sink failed. A full storage has its own case in the contract, so
//! [`is_full`] knows the words of the operating system for it.

use crate::bindings::cofferdam::backup::host;
use crate::{BodyInfo, Error, InputStream, OutputStream};

pub use crate::bindings::cofferdam::backup::host::PipeError;

/// Moves bytes from `source` to `sink` until the source closes, or `length` bytes are through; says how many.
pub fn pipe(source: &InputStream, sink: &OutputStream, length: Option<u64>) -> Result<u64, PipeError> {
    host::pipe(source, sink, length)
}

/// Moves the whole body of a put into the storage's stream; says how many bytes. Any error means: discard them.
pub fn store(body: &InputStream, sink: &OutputStream, info: &BodyInfo) -> Result<u64, Error> {
    let stored = pipe(body, sink, None).map_err(|error| match error {
        PipeError::SourceFailed(text) => Error::failed(format!("the object's body broke off: {text}")),
        PipeError::SinkFailed(text) if is_full(&text) => {
            Error::out_of_space(format!("the storage took no more of the object: {text}"))
        }
        PipeError::SinkFailed(text) => {
            Error::failed(format!("the storage refused the object's bytes: {text}"))
        }
        PipeError::EarlyEnd(bytes) => Error::failed(format!("the object's body ended after {bytes} bytes")),
    })?;
    match info.size {
        Some(size) if size != stored => Err(Error::failed(format!(
            "the object's body had {stored} bytes, but {size} were announced"
        ))),
        _ => Ok(stored),
    }
}

/// Moves exactly `length` bytes of a stored object into the sink of a get.
pub fn fetch(object: &InputStream, sink: &OutputStream, length: u64) -> Result<u64, Error> {
    pipe(object, sink, Some(length)).map_err(|error| match error {
        PipeError::SourceFailed(text) => {
            Error::unavailable(format!("the storage failed in the middle: {text}"))
        }
        PipeError::SinkFailed(text) => Error::failed(format!("the receiver took no more bytes: {text}")),
        PipeError::EarlyEnd(bytes) => Error::corrupted(format!(
            "the object ended after {bytes} bytes of {length}: it became shorter while it was read"
        )),
    })
}

/// Whether an operating system's text says that the storage is full or a quota used up.
pub fn is_full(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    [
        "no space left",
        "quota exceeded",
        "insufficient-space",
        "(os error 28)",
        "(os error 122)",
    ]
    .iter()
    .any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::is_full;

    #[test]
    fn a_full_disk_and_a_used_up_quota_are_recognised() {
        assert!(is_full("No space left on device (os error 28)"));
        assert!(is_full("Disk quota exceeded (os error 122)"));
        assert!(!is_full("Input/output error (os error 5)"));
    }
}
