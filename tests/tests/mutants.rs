//! The conformance kit against drivers with one planted fault each: a kit that passes a broken driver is worth nothing.
//!
//! `tests/mutants.toml` says which cases must find which mutant. Each mutant is tried with those, and the correct driver, from which
//! they are made, with all cases. With COFFERDAM_MUTANTS=all every case is tried on every mutant, and the matrix is printed as the table
//! should be. Cost: half a second a mutant; with all cases, three.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod kit;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cofferdam_conformance::{Case, Outcome, Report, Room, Setup, Subject, cases, run};
use cofferdam_sandbox::Limits;
use cofferdam_sandbox::contract::SettingValue;
use cofferdam_tests::{TestSandbox, mutant, mutants};
use futures::StreamExt as _;

use kit::{Ballast, Mounted, in_folder, listen};

const CORRECT: &str = "correct";
const SEED: u64 = 7;
/// How many are tried at a time.
const ABREAST: usize = 2;

/// A case, or all cases of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Finder {
    Number(u16),
    Name(String),
}

impl Finder {
    fn is(&self, number: u16, name: &str) -> bool {
        match self {
            Finder::Number(wanted) => *wanted == number,
            Finder::Name(wanted) => wanted == name,
        }
    }
}

/// `tests/mutants.toml`.
struct Table {
    found_by: BTreeMap<String, Vec<Finder>>,
    unfound: BTreeSet<String>,
    slow: BTreeSet<String>,
}

impl Table {
    fn read() -> Self {
        let text: toml::Table = include_str!("../mutants.toml").parse().unwrap();
        let names = |table: &str| text[table].as_table().unwrap().keys().cloned().collect();
        let finder = |value: &toml::Value| match value {
            toml::Value::Integer(number) => Finder::Number(u16::try_from(*number).unwrap()),
            other => Finder::Name(other.as_str().unwrap().to_owned()),
        };
        let finders = |value: &toml::Value| value.as_array().unwrap().iter().map(finder).collect();
        let found_by = text["found_by"].as_table().unwrap();
        Table {
            found_by: found_by
                .iter()
                .map(|(mutant, value)| (mutant.clone(), finders(value)))
                .collect(),
            unfound: names("unfound"),
            slow: names("slow"),
        }
    }

    /// Whether only a storage that can be full finds it; the correct one must pass there too.
    fn needs_full_storage(&self, mutant: &str) -> bool {
        let full = |finder: &Finder| {
            cases::all()
                .iter()
                .any(|case| case.number == 52 && finder.is(52, case.name))
        };
        mutant == CORRECT
            || self
                .found_by
                .get(mutant)
                .is_some_and(|finders| finders.iter().all(full))
    }

    /// The cases that are tried on a mutant.
    fn cases(&self, mutant: &str, all: bool) -> Vec<Case> {
        let everything = cases::all();
        if mutant == CORRECT || (all && !self.slow.contains(mutant)) {
            return everything;
        }
        let finders = self.found_by.get(mutant).map_or(&[][..], Vec::as_slice);
        let mut chosen = everything;
        chosen.retain(|case| finders.iter().any(|finder| finder.is(case.number, case.name)));
        chosen
    }
}

#[test]
fn every_mutant_stands_once_in_the_table_with_cases_that_there_are() {
    let table = Table::read();
    let found: BTreeSet<String> = table.found_by.keys().cloned().collect();
    assert!(found.is_disjoint(&table.unfound));
    assert!(table.slow.is_subset(&found));
    let mut named: BTreeSet<String> = found.union(&table.unfound).cloned().collect();
    named.insert(CORRECT.to_owned());
    assert_eq!(named, mutants().into_iter().collect::<BTreeSet<String>>());
    for (mutant, finders) in &table.found_by {
        assert!(!finders.is_empty(), "no case is named for {mutant}");
        for finder in finders {
            let there = cases::all().iter().any(|case| finder.is(case.number, case.name));
            assert!(there, "{mutant}: there is no case {finder:?} any more");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kit_finds_each_mutant_by_the_cases_that_are_named_for_it_and_the_correct_driver_by_none() {
    listen();
    let all = std::env::var("COFFERDAM_MUTANTS").is_ok_and(|what| what == "all");
    let (table, test) = (Table::read(), TestSandbox::start().await);
    let chosen = mutants()
        .into_iter()
        .map(|mutant| (table.cases(&mutant, all), mutant))
        .filter(|(cases, _)| !cases.is_empty());
    let reports: Vec<(String, Report)> = futures::stream::iter(chosen)
        .map(|(cases, mutant)| {
            let full = table.needs_full_storage(&mutant);
            tried(&test, mutant, cases, full)
        })
        .buffer_unordered(ABREAST)
        .collect()
        .await;
    let reports: BTreeMap<String, Report> = reports.into_iter().collect();
    println!("\n[found_by]");
    for (mutant, report) in &reports {
        println!("{mutant} = {:?}", numbers(report));
    }
    let faults: Vec<String> = reports
        .iter()
        .flat_map(|(mutant, report)| faults(&table, mutant, report))
        .collect();
    let found = reports
        .iter()
        .filter(|(mutant, report)| *mutant != CORRECT && report.failed() > 0)
        .count();
    println!(
        "{found} of {} mutants found, {} of them by no case yet",
        mutants().len() - 1,
        table.unfound.len()
    );
    assert_eq!(faults, [""; 0]);
}

/// The numbers of the cases that found it.
fn numbers(report: &Report) -> Vec<u16> {
    let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_));
    let cases = report.cases.iter().filter(|tried| failed(&tried.outcome));
    let numbers: BTreeSet<u16> = cases.map(|tried| tried.number).collect();
    numbers.into_iter().collect()
}

/// What the table says and the run does not.
fn faults(table: &Table, mutant: &str, report: &Report) -> Vec<String> {
    if mutant == CORRECT {
        let failures = report.failures();
        return failures
            .into_iter()
            .map(|case| format!("{mutant} is found by {case:?}\n{report}"))
            .collect();
    }
    if table.unfound.contains(mutant) && report.failed() > 0 {
        return vec![format!(
            "{mutant} is found by {:?} now: move it up in mutants.toml",
            numbers(report)
        )];
    }
    let found = |finder: &Finder, wanted: fn(&Outcome) -> bool| {
        let mut cases = report.cases.iter();
        cases.any(|tried| finder.is(tried.number, tried.name) && wanted(&tried.outcome))
    };
    let mut faults = Vec::new();
    for finder in table.found_by.get(mutant).into_iter().flatten() {
        if found(finder, |outcome| matches!(outcome, Outcome::Failed(_))) {
            continue;
        }
        // A case that was left out proves nothing: a full storage, on a machine where none can be mounted.
        if found(finder, |outcome| matches!(outcome, Outcome::Passed)) {
            faults.push(format!("{mutant} passes {finder:?}\n{report}"));
        } else {
            println!("\n=== SKIPPED, NOT TESTED: {mutant} by {finder:?} ===\n");
        }
    }
    faults
}

/// What the kit says of a mutant, in a file system of its own if it is one that only a full storage finds.
async fn tried(test: &TestSandbox, name: String, cases: Vec<Case>, full: bool) -> (String, Report) {
    let mounted = if full { Mounted::mount() } else { None };
    let folder = mounted
        .as_ref()
        .map_or(test.folder(), |mounted| mounted.0.path())
        .join(&name);
    std::fs::create_dir(&folder).unwrap();
    let room: Option<Box<dyn Room>> = match &mounted {
        Some(mounted) => Some(Box::new(Ballast(mounted.0.path().join("ballast")))),
        None => None,
    };
    let mut setup = Setup {
        room,
        // A mutant that hangs is not waited for long.
        limits: Limits {
            call_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(10),
            ..Limits::default()
        },
        ..in_folder("mutants_path", &folder)
    };
    let secret = SettingValue::Text("nobody-may-see-9f3a".to_owned());
    setup.settings.insert("mutants_key".to_owned(), secret.into());
    setup.grants.reveal.push("mutants_key".to_owned());
    let subject = Subject::load(&test.sandbox, &mutant(&name), setup).await.unwrap();
    let report = run(&subject, "cofferdam-conformance", &cases, SEED, |_| {}).await;
    (name, report)
}
