//! From WASI's file system codes to the contract's errors: what was attempted, what was found, what to do.
//!
//! The code decides the retry class. Wasmtime 48 folds what it has no code for into `io`, among it a file system
//! that turned read-only, a used-up quota and a stale NFS handle, so the text for `io` names them.

use wasip2::filesystem::types::ErrorCode;

use crate::Error;

/// Passes success on; an error says that we could not do what `what` tells.
pub(super) fn attempt<T>(result: Result<T, ErrorCode>, what: impl FnOnce() -> String) -> Result<T, Error> {
    result.map_err(|code| error(code, what()))
}

/// The contract's error for a code; `what` completes "cannot ...".
pub(super) fn error(code: ErrorCode, what: String) -> Error {
    match code {
        ErrorCode::Access | ErrorCode::NotPermitted => Error::unauthorized(format!(
            "cannot {what}: permission denied; give the service's user the right, and see that the directory is granted \
             for writing and that no symbolic link leads out of it"
        )),
        ErrorCode::ReadOnly => Error::unauthorized(format!("cannot {what}: it is read-only")),
        ErrorCode::NoEntry => Error::not_found(format!("cannot {what}: it is not there")),
        ErrorCode::Exist => Error::already_exists(format!("cannot {what}: it is there already")),
        ErrorCode::InsufficientSpace => Error::out_of_space(format!("cannot {what}: no space is left")),
        ErrorCode::Quota => Error::out_of_space(format!("cannot {what}: the quota is used up")),
        ErrorCode::FileTooLarge => Error::unsupported(format!(
            "cannot {what}: it is larger than the file system or the process's limit allows"
        )),
        ErrorCode::NameTooLong => Error::unsupported(format!("cannot {what}: the name is too long")),
        ErrorCode::IllegalByteSequence => Error::unsupported(format!("cannot {what}: the name is not UTF-8")),
        ErrorCode::Io => Error::unavailable(format!(
            "cannot {what}: input/output error, a file system that is read-only or stale, or a quota that is used up"
        )),
        ErrorCode::Busy | ErrorCode::NoDevice | ErrorCode::NoSuchDevice | ErrorCode::InsufficientMemory => {
            Error::unavailable(format!("cannot {what}: {}", code.name()))
        }
        ErrorCode::NotDirectory => {
            Error::failed(format!("cannot {what}: a file stands where a folder should be"))
        }
        ErrorCode::IsDirectory => {
            Error::failed(format!("cannot {what}: a folder stands where a file should be"))
        }
        ErrorCode::Loop => Error::failed(format!("cannot {what}: a symbolic link stands there")),
        other => Error::failed(format!("cannot {what}: {}", other.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_decides_the_case_and_the_text_says_what_was_attempted() {
        let error = |code| error(code, "do it".to_owned());
        assert!(
            matches!(error(ErrorCode::InsufficientSpace), Error::OutOfSpace(text) if text.contains("cannot do it"))
        );
        assert!(matches!(error(ErrorCode::Access), Error::Unauthorized(_)));
        assert!(matches!(error(ErrorCode::NoEntry), Error::NotFound(_)));
        assert!(matches!(error(ErrorCode::Io), Error::Unavailable(_)));
        assert!(matches!(error(ErrorCode::Pipe), Error::Failed(text) if text.contains("pipe")));
    }
}
