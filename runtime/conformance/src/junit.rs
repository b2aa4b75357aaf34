//! A report in the form that build servers read: JUnit's XML, a test case per case, its group as class.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::case::Finding;
use crate::report::{Outcome, Report};

impl Report {
    /// The whole report as JUnit's XML.
    pub fn junit(&self) -> String {
        let mut suite = TestSuite::new(format!("{} {}", self.driver, self.version));
        suite.add_property(("digest", self.digest.as_str()));
        suite.add_property(("kit", self.kit));
        suite.add_property(("seed", self.seed.to_string().as_str()));
        for tried in &self.cases {
            let status = match &tried.outcome {
                Outcome::Passed => TestCaseStatus::success(),
                Outcome::Skipped { reason } => {
                    let mut status = TestCaseStatus::skipped();
                    status.set_message(reason.as_str());
                    status
                }
                Outcome::Failed(Finding { expected, found }) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(format!("expected {expected}"));
                    status.set_description(format!("found {found}\nit matters: {}", tried.why));
                    status
                }
            };
            let mut case = TestCase::new(format!("{} {}", tried.number, tried.name), status);
            case.set_classname(tried.group);
            case.set_time(tried.time);
            suite.add_test_case(case);
        }
        let mut report = quick_junit::Report::new("cofferdam driver test");
        report.add_test_suite(suite);
        // It is written into memory, and every text is made safe by the library.
        report.to_string().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::case::Finding;
    use crate::report::{Outcome, Report, Tried};

    #[test]
    fn a_failure_and_a_skip_stand_in_the_xml_with_their_reasons_and_nothing_breaks_it() {
        let tried = |number, outcome| Tried {
            number,
            group: "objects",
            name: "it is kept",
            why: "it would be lost",
            outcome,
            time: Duration::from_millis(1234),
        };
        let report = Report {
            driver: "d".into(),
            version: "1".into(),
            digest: "d1".into(),
            kit: "0",
            seed: 7,
            cases: vec![
                tried(20, Outcome::Passed),
                tried(
                    21,
                    Outcome::Failed(Finding {
                        expected: "<a & \"b\">".into(),
                        found: "]]>\u{1}".into(),
                    }),
                ),
                tried(
                    22,
                    Outcome::Skipped {
                        reason: "none".into(),
                    },
                ),
            ],
        };
        let xml = report.junit();
        assert!(
            xml.contains("tests=\"3\" skipped=\"1\"") || xml.contains("tests=\"3\""),
            "{xml}"
        );
        assert!(xml.contains("expected &lt;a &amp; &quot;b&quot;&gt;"), "{xml}");
        assert!(
            xml.contains("21 it is kept") && xml.contains("it matters: it would be lost"),
            "{xml}"
        );
        assert!(!xml.contains('\u{1}'), "{xml}");
    }
}
