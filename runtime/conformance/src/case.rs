//! What a case is, what it may need, and what can come of it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use serde::Serialize;

use crate::ground::Ground;

/// What came of a case.
pub type Verdict = Result<(), Stop>;

/// A case under way.
pub type Running<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// One promise, and how it is put to the test.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its number in the project's list of promises; several cases may share one.
    pub number: u16,
    /// What it is about.
    pub group: &'static str,
    /// A sentence about the driver's behaviour. No other case has it.
    pub name: &'static str,
    /// What goes wrong in a backup when it does not hold.
    pub why: &'static str,
    /// Without any of these it is left out.
    pub needs: &'static [Need],
    /// The case itself.
    pub run: for<'a> fn(&'a Ground<'a>) -> Running<'a>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.name)
    }
}

impl Case {
    /// A promise of the list that cannot be tried here; it is shown with its reason.
    pub const fn never(number: u16, group: &'static str, name: &'static str, needs: &'static [Need]) -> Self {
        Case {
            number,
            group,
            name,
            why: "",
            needs,
            run: |_| Box::pin(std::future::ready(Ok(()))),
        }
    }
}

/// What a driver must declare, or its subject offer, for a case to make sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A fault proxy between the driver and its storage.
    Faults,
    /// A driver that takes bodies of which nothing is known.
    UnknownSize,
    /// A driver that asks for a body's size.
    KnownSize,
    /// A driver that asks for a digest of a body.
    Digests,
    /// Sizes at which the driver, with these settings, does something else: its parts.
    Boundaries,
    /// A driver that says how great an object may be.
    GreatestObject,
    /// A storage of which can be seen what a call leaves: a directory, or a server behind the fault proxy.
    Traces,
    /// A directory that the driver may write.
    Directory,
    /// A setting that is a secret.
    Secrets,
    /// An option without which there is no set-up.
    RequiredOptions,
    /// Somebody who listens to the driver's log.
    Ears,
    /// A storage whose room can be taken away.
    Room,
    /// Somebody who has time for ten thousand objects.
    Thousands,
    /// Somebody who has time and room for objects of gigabytes.
    Gigabytes,
    /// What nobody has, and why.
    Never(&'static str),
}

/// Why a case did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The driver does something else than it should.
    Failed(Finding),
    /// It turned out that the case makes no sense for this driver.
    Skipped(String),
}

/// What was expected, and what came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What the driver should have done.
    pub expected: String,
    /// What it did.
    pub found: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}; found {}", self.expected, self.found)
    }
}

impl From<Finding> for Stop {
    fn from(finding: Finding) -> Self {
        Stop::Failed(finding)
    }
}
