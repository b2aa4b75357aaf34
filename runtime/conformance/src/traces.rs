//! What a call leaves on the storage, as far as it can be seen from outside: the files of the driver's directories, or the requests
//! that passed the fault proxy.

use std::collections::BTreeSet;

use http::Method;

use crate::case::Verdict;
use crate::expect::holds;
use crate::ground::Ground;
use crate::subject::Trace;

/// Methods that change nothing. A login is a POST in some dialects.
const HARMLESS: [&str; 5] = ["GET", "HEAD", "OPTIONS", "POST", "PROPFIND"];

/// Longest list of differences in a finding.
const SHOWN: usize = 10;

/// The storage at a moment.
pub(crate) struct Traces(Option<BTreeSet<Trace>>);

impl Traces {
    /// Looks, and forgets what was asked before.
    pub(crate) fn now(ground: &Ground<'_>) -> Self {
        if let Ok(proxy) = ground.subject().proxy() {
            proxy.reset();
        }
        Traces(ground.subject().traces())
    }

    /// Nothing has changed since, and nothing that changes anything was asked.
    pub(crate) fn are_all(self, ground: &Ground<'_>, after: &str) -> Verdict {
        self.same_files(ground, after)?;
        let Ok(proxy) = ground.subject().proxy() else {
            return Ok(());
        };
        let harmful: Vec<String> = proxy
            .seen()
            .iter()
            .filter(|seen| !is_harmless(&seen.method))
            .map(|seen| format!("{} {}", seen.method, seen.uri))
            .take(SHOWN)
            .collect();
        holds(
            harmful.is_empty(),
            format!("no request that changes the storage {after}"),
            || harmful.join(", "),
        )
    }

    /// The directories hold what they held.
    pub(crate) fn same_files(self, ground: &Ground<'_>, after: &str) -> Verdict {
        let (Some(before), Some(now)) = (self.0, ground.subject().traces()) else {
            return Ok(());
        };
        let changed: Vec<String> = before
            .symmetric_difference(&now)
            .map(|trace| format!("{} ({} bytes)", trace.path.display(), trace.size))
            .take(SHOWN)
            .collect();
        holds(
            changed.is_empty(),
            format!("the directory as it was {after}"),
            || format!("other files: {}", changed.join(", ")),
        )
    }
}

fn is_harmless(method: &Method) -> bool {
    HARMLESS.contains(&method.as_str())
}
