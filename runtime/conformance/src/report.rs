//! What came of a run: a line per case for people, the same as data for machines.

use std::fmt::{self, Write};
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::case::{Case, Finding};

/// What came of one case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Outcome {
    /// The driver keeps the promise.
    Passed,
    /// It does not.
    Failed(Finding),
    /// The case was left out.
    Skipped {
        /// Why.
        reason: String,
    },
}

/// One case of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Tried {
    /// Its number in the list of promises.
    pub number: u16,
    /// What it is about.
    pub group: &'static str,
    /// The promise.
    pub name: &'static str,
    /// What goes wrong in a backup when it is broken.
    pub why: &'static str,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How long it took.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub time: Duration,
}

fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((time.as_secs_f64() * 1000.0).round() / 1000.0)
}

/// A run of cases against one driver.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The driver's name.
    pub driver: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its component.
    pub digest: String,
    /// The version of the kit.
    pub kit: &'static str,
    /// What bytes and random choices were made from; a run with the same seed does the same.
    pub seed: u64,
    /// Every case, in the order of the tables.
    pub cases: Vec<Tried>,
}

impl Report {
    /// How many passed.
    pub fn passed(&self) -> usize {
        self.count(|outcome| *outcome == Outcome::Passed)
    }

    /// How many of a hundred that were tried passed, rounded down; none when nothing was tried.
    pub fn score(&self) -> Option<usize> {
        (self.passed() * 100).checked_div(self.passed() + self.failed())
    }

    /// How many failed.
    pub fn failed(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    /// How many were left out.
    pub fn skipped(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Skipped { .. }))
    }

    /// All of it in one line.
    pub fn summary(&self) -> String {
        let time: Duration = self.cases.iter().map(|tried| tried.time).sum();
        let score = self.score().map_or_else(
            || "nothing tried".to_owned(),
            |score| format!("score {score} of 100"),
        );
        format!(
            "{} {}: {} cases, {} passed, {} failed, {} skipped in {:.1} s; {score} (kit {}, seed {})",
            self.driver,
            self.version,
            self.cases.len(),
            self.passed(),
            self.failed(),
            self.skipped(),
            time.as_secs_f64(),
            self.kit,
            self.seed
        )
    }

    fn count(&self, is: impl Fn(&Outcome) -> bool) -> usize {
        self.cases.iter().filter(|tried| is(&tried.outcome)).count()
    }

    /// The names of those that failed.
    pub fn failures(&self) -> Vec<&'static str> {
        let failed = self
            .cases
            .iter()
            .filter(|tried| matches!(tried.outcome, Outcome::Failed(_)));
        failed.map(|tried| tried.name).collect()
    }
}

impl Tried {
    pub(crate) fn new(case: &Case, outcome: Outcome, time: Duration) -> Self {
        Tried {
            number: case.number,
            group: case.group,
            name: case.name,
            why: case.why,
            outcome,
            time,
        }
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tried {
            number, group, name, ..
        } = self;
        let word = match &self.outcome {
            Outcome::Passed => "passed",
            Outcome::Failed(_) => "FAILED",
            Outcome::Skipped { .. } => "skipped",
        };
        write!(
            f,
            "{number:>3} {group:<9} {word:<7} {:>6.2} s  {name}",
            self.time.as_secs_f64()
        )?;
        match &self.outcome {
            Outcome::Passed => Ok(()),
            Outcome::Failed(Finding { expected, found }) => {
                write!(
                    f,
                    "\n      expected {expected}\n      found    {found}\n      it matters: {}",
                    self.why
                )
            }
            Outcome::Skipped { reason } => write!(f, ": {reason}"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = String::new();
        for tried in &self.cases {
            writeln!(lines, "{tried}")?;
        }
        write!(f, "{lines}{}", self.summary())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_as_it_did_to_people_and_to_machines() {
        let tried = |number, outcome| Tried {
            number,
            group: "objects",
            name: "it is kept",
            why: "it would be lost",
            outcome,
            time: Duration::from_micros(1_234_567),
        };
        let finding = Finding {
            expected: "a thing".into(),
            found: "another".into(),
        };
        let reason = "it has none".into();
        let report = Report {
            driver: "d".into(),
            version: "1".into(),
            digest: "d1".into(),
            kit: "0",
            seed: 7,
            cases: vec![
                tried(20, Outcome::Passed),
                tried(21, Outcome::Failed(finding)),
                tried(22, Outcome::Skipped { reason }),
            ],
        };
        assert_eq!(
            report.to_string(),
            " 20 objects   passed    1.23 s  it is kept\n 21 objects   FAILED    1.23 s  it is kept\n      \
             expected a thing\n      found    another\n      it matters: it would be lost\n 22 objects   skipped   1.23 s  \
             it is kept: it has none\nd 1: 3 cases, 1 passed, 1 failed, 1 skipped in 3.7 s; score 50 of 100 (kit 0, seed 7)"
        );
        let json = serde_json::to_value(&report).unwrap();
        let case = |number: u16, outcome: &str| {
            serde_json::json!({
                "number": number, "group": "objects", "name": "it is kept", "why": "it would be lost",
                "outcome": outcome, "seconds": 1.235
            })
        };
        let (mut failed, mut skipped) = (case(21, "failed"), case(22, "skipped"));
        failed["expected"] = "a thing".into();
        failed["found"] = "another".into();
        skipped["reason"] = "it has none".into();
        let cases = [case(20, "passed"), failed, skipped];
        assert_eq!(
            json,
            serde_json::json!({"driver": "d", "version": "1", "digest": "d1", "kit": "0", "seed": 7, "cases": cases})
        );
        assert_eq!(report.failures(), ["it is kept"]);
    }
}
