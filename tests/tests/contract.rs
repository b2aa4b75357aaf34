//! The promise of a frozen contract: a driver that was built for it when it was frozen works with every later host.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod kit;

use std::path::Path;

use cofferdam_conformance::{Subject, cases, run};
use cofferdam_sandbox::requirements::Provision;
use cofferdam_sandbox::{Budget, Limits};
use cofferdam_tests::{TestSandbox, drivers};

use kit::{conforms, files, in_folder};

/// The driver's file and digest, by the version of the contract.
const FROZEN: &[(&str, &str)] = &[(
    "0.1.0",
    "2f25133a039c0c02364dd7dc6146342ec756ee497d6a992d10993d6e511fda14",
)];

/// How the contract grows (`wit/trial`): a driver of today is asked nothing of tomorrow's; one of tomorrow is served whole by a host that
/// knows the interface, and keeps today's promises. (What no host knows is refused: tests of components.)
#[tokio::test(flavor = "multi_thread")]
async fn an_interface_that_a_later_contract_adds_is_used_where_it_is_and_done_without_where_it_is_not() {
    let test = TestSandbox::start().await;
    let limits = std::sync::Arc::new(Limits::default());
    for (driver, expected) in [("posix", None), ("trial", Some(7))] {
        let file = drivers().join(format!("{driver}.wasm"));
        let loaded = test.sandbox.load(&file, &limits).await.unwrap();
        let budget = || Budget::new(limits.call_timeout, limits.call_fuel);
        let instance = test
            .sandbox
            .open(&loaded, "trial", &Provision::default(), &limits, &budget())
            .await
            .unwrap();
        let told = instance.space().await.unwrap();
        assert_eq!(told.map(|usage| usage.used), expected.map(Some), "{driver}");
        assert_eq!(loaded.report.contract, "0.1.0");
    }
    let folder = test.folder().join("root");
    std::fs::create_dir(&folder).unwrap();
    let cases: Vec<_> = cases::all()
        .into_iter()
        .filter(|case| case.group == "objects" || case.group == "listing")
        .collect();
    let file = drivers().join("trial.wasm");
    let subject = Subject::load(&test.sandbox, &file, in_folder("hostile_path", &folder))
        .await
        .unwrap();
    let report = run(&subject, "trial", &cases, 7, |_| {}).await;
    assert_eq!(report.failures(), [""; 0], "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_of_each_frozen_version_keeps_every_promise() {
    for (version, digest) in FROZEN {
        let test = TestSandbox::start().await;
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("data/contract-{version}/shelf.wasm"));
        let driver = test.sandbox.load(&file, &Limits::default()).await.unwrap();
        assert_eq!(
            driver.report.digest, *digest,
            "the driver of {version} was exchanged"
        );
        assert_eq!(driver.report.contract, *version);
        let folder = test.folder().join("root");
        std::fs::create_dir(&folder).unwrap();
        conforms(&test, &file, in_folder("shelf_rust_path", &folder)).await;
        assert_eq!(files(&folder), 0);
    }
}
