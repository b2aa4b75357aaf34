//! Expectations that turn what came into a finding, so that a case reads as the promise that it checks.

use std::fmt::Debug;

use cofferdam_sandbox::{Failure, RetryClass};

use crate::case::{Finding, Stop, Verdict};

/// A finding, as the end of a case.
pub(crate) fn found(expected: impl Into<String>, found: impl Into<String>) -> Stop {
    Stop::Failed(Finding {
        expected: expected.into(),
        found: found.into(),
    })
}

/// A failure with its code and its words.
pub(crate) fn shown(failure: &Failure) -> String {
    format!("{}: {failure}", failure.code())
}

/// What a call came to, held against what it should have come to.
pub(crate) trait Expect<T> {
    /// It succeeds. `what` completes "expected …".
    fn must(self, what: impl Into<String>) -> Result<T, Stop>;

    /// It fails with one of these codes.
    fn refused(self, what: impl Into<String>, codes: &[&str]) -> Result<Failure, Stop>;

    /// It fails, and trying the same again may help: what a storage that is out of order must lead to.
    fn passing(self, what: impl Into<String>) -> Result<Failure, Stop>;

    /// It fails by the driver's own word or by a limit, not by a crash.
    fn fails(self, what: impl Into<String>) -> Result<Failure, Stop>;
}

impl<T> Expect<T> for Result<T, Failure> {
    fn must(self, what: impl Into<String>) -> Result<T, Stop> {
        self.map_err(|failure| found(what, shown(&failure)))
    }

    fn refused(self, what: impl Into<String>, codes: &[&str]) -> Result<Failure, Stop> {
        let expected = || format!("{}: {}", what.into(), codes.join(" or "));
        match self {
            Ok(_) => Err(found(expected(), "success")),
            Err(failure) if codes.contains(&failure.code()) => Ok(failure),
            Err(failure) => Err(found(expected(), shown(&failure))),
        }
    }

    fn passing(self, what: impl Into<String>) -> Result<Failure, Stop> {
        let failure = self.fails(what)?;
        if failure.retry_class() == RetryClass::Retry {
            return Ok(failure);
        }
        Err(found("a failure of retry class retry", shown(&failure)))
    }

    fn fails(self, what: impl Into<String>) -> Result<Failure, Stop> {
        match self {
            Ok(_) => Err(found(what, "success")),
            Err(failure)
                if failure.code().starts_with("driver.")
                    || ["wall-timeout", "stalled"].contains(&failure.code()) =>
            {
                Ok(failure)
            }
            Err(failure) => Err(found(what, shown(&failure))),
        }
    }
}

/// Two values are the same.
pub(crate) fn equal<T: PartialEq + Debug>(what: &str, expected: &T, came: &T) -> Verdict {
    if expected == came {
        return Ok(());
    }
    Err(found(format!("{what}: {}", cut(expected)), cut(came)))
}

/// Two runs of bytes are the same; otherwise says where they part.
pub(crate) fn same(what: &str, expected: &[u8], came: &[u8]) -> Verdict {
    if expected == came {
        return Ok(());
    }
    let common = expected
        .iter()
        .zip(came)
        .take_while(|(one, other)| one == other)
        .count();
    Err(found(
        format!("{what}: {} bytes as they were put", expected.len()),
        format!("{} bytes, of which the first {common} are right", came.len()),
    ))
}

/// A condition holds.
pub(crate) fn holds(condition: bool, expected: impl Into<String>, came: impl FnOnce() -> String) -> Verdict {
    if condition {
        return Ok(());
    }
    Err(found(expected, came()))
}

fn cut(value: &impl Debug) -> String {
    const MOST: usize = 600;
    let text = format!("{value:?}");
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}
