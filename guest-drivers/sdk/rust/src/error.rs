//! Short ways to make the contract's errors. Which one to take decides what the host does next: the retry class
//! stands beside each case in `wit/0.1.0/types.wit`. No secrets in the text.

use crate::{Error, InvalidOption, Throttle};

impl Error {
    /// A setting is wrong: which option, and what is wrong with it.
    pub fn invalid_configuration(option: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::InvalidConfiguration(InvalidOption {
            option_name: option.into(),
            reason: reason.into(),
        })
    }

    /// The storage refused the credentials or the right.
    pub fn unauthorized(text: impl Into<String>) -> Self {
        Self::Unauthorized(text.into())
    }

    /// The storage cannot be reached or used now.
    pub fn unavailable(text: impl Into<String>) -> Self {
        Self::Unavailable(text.into())
    }

    /// The object or container is not there.
    pub fn not_found(text: impl Into<String>) -> Self {
        Self::NotFound(text.into())
    }

    /// It is there already and may not be replaced.
    pub fn already_exists(text: impl Into<String>) -> Self {
        Self::AlreadyExists(text.into())
    }

    /// The storage is full.
    pub fn out_of_space(text: impl Into<String>) -> Self {
        Self::OutOfSpace(text.into())
    }

    /// The storage asks for a pause of so many milliseconds.
    pub fn throttled(retry_after: Option<u32>, reason: impl Into<String>) -> Self {
        Self::Throttled(Throttle {
            retry_after,
            reason: reason.into(),
        })
    }

    /// What was read back is not what was written.
    pub fn corrupted(text: impl Into<String>) -> Self {
        Self::Corrupted(text.into())
    }

    /// This driver or storage cannot do that.
    pub fn unsupported(text: impl Into<String>) -> Self {
        Self::Unsupported(text.into())
    }

    /// Anything else.
    pub fn failed(text: impl Into<String>) -> Self {
        Self::Failed(text.into())
    }
}
