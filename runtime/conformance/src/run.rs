//! One run: the cases one after the other, each on ground of its own, each within a time.

use std::time::{Duration, Instant};

use futures::FutureExt;

use crate::case::{Case, Finding, Need, Stop};
use crate::expect::{found, shown};
use crate::ground::Ground;
use crate::report::{Outcome, Report, Tried};
use crate::subject::Subject;

/// The kit's version. Whoever shows a score shows it too.
pub const KIT: &str = env!("CARGO_PKG_VERSION");

/// A case that takes longer has hung.
pub const LONGEST_CASE: Duration = Duration::from_secs(120);

/// The same for cases that take patience.
pub const LONGEST_PATIENT_CASE: Duration = Duration::from_secs(1800);

/// Runs the cases against the subject, in a container that is made for it unless it is there. The container stays, because the
/// contract deletes none; all that was put in it goes. `seen` is told of each case as it ends.
pub async fn run(
    subject: &Subject,
    container: &str,
    cases: &[Case],
    seed: u64,
    mut seen: impl FnMut(&Tried),
) -> Report {
    let made = make(subject, container).await;
    let mut tried = Vec::with_capacity(cases.len());
    for case in cases {
        let begin = Instant::now();
        let outcome = match (&made, case.needs.iter().find_map(|need| subject.lacks(*need))) {
            (_, Some(reason)) => Outcome::Skipped { reason },
            (Err(finding), None) => Outcome::Failed(finding.clone()),
            (Ok(()), None) => one(subject, container, case, seed).await,
        };
        let line = Tried::new(case, outcome, begin.elapsed());
        seen(&line);
        tried.push(line);
    }
    Report {
        driver: subject.info().name.clone(),
        version: subject.info().version.clone(),
        digest: subject.digest().to_owned(),
        kit: KIT,
        seed,
        cases: tried,
    }
}

/// Nothing can be tried without a container.
async fn make(subject: &Subject, container: &str) -> Result<(), Finding> {
    let made = async {
        let limits = std::sync::Arc::new(subject.limits().clone());
        subject.open(&limits).await?.create_container(container).await
    };
    made.await.map_err(|failure| Finding {
        expected: format!("the container {container} to be made"),
        found: shown(&failure),
    })
}

async fn one(subject: &Subject, container: &str, case: &Case, seed: u64) -> Outcome {
    let ground = Ground::new(subject, container, case, seed);
    let limit = if [Need::Thousands, Need::Gigabytes]
        .iter()
        .any(|need| case.needs.contains(need))
    {
        LONGEST_PATIENT_CASE
    } else {
        LONGEST_CASE
    };
    // A case that panics is a fault of ours; the others go on all the same.
    let running = std::panic::AssertUnwindSafe((case.run)(&ground)).catch_unwind();
    let verdict = match tokio::time::timeout(limit, running).await {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(_)) => Err(found("a case that can be tried", "a panic in the case itself")),
        Err(_) => Err(found("an end", format!("none within {limit:?}"))),
    };
    let cleared = tokio::time::timeout(LONGEST_CASE, ground.clear()).await;
    match (verdict, cleared) {
        (Err(Stop::Failed(finding)), _) => Outcome::Failed(finding),
        (_, Ok(Err(left))) => Outcome::Failed(Finding {
            expected: "everything to be deleted after the case".into(),
            found: left,
        }),
        (_, Err(_)) => Outcome::Failed(Finding {
            expected: "everything to be deleted after the case".into(),
            found: format!("no end within {LONGEST_CASE:?}"),
        }),
        (Err(Stop::Skipped(reason)), _) => Outcome::Skipped { reason },
        (Ok(()), _) => Outcome::Passed,
    }
}
