//! What holds for the sandbox whichever hostile guest it is: what comes first of fuel and clock, what a failed call
//! leaves, what a failed initialisation used. The guests one by one are in `zoo/`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::time::Duration;

use cofferdam_sandbox::{Budget, Failure, Instance};
use cofferdam_tests::guests::{Pen, initialize, wait_for_threads};
use cofferdam_tests::{PLENTY, TestSandbox, hostile};

async fn initialized(test: &TestSandbox, name: &str, budget: &Budget) -> Result<Instance, Failure> {
    let driver = test.load(&hostile(name)).await?;
    initialize(test, &driver, budget, &[], None).await
}

fn seconds(seconds: u64) -> Budget {
    Budget::new(Duration::from_secs(seconds), PLENTY)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_fails_now_and_then_fails_just_as_often_as_it_says() {
    let test = TestSandbox::start().await;
    for (name, outcomes) in [
        ("alternate", [false, true, false, true, false, true]),
        ("third-try", [false, false, true, true, true, true]),
    ] {
        let pen = Pen::make(&test, name);
        let driver = test.load(&hostile(name)).await.unwrap();
        for (number, works) in outcomes.into_iter().enumerate() {
            let grant = Some(pen.grant(true));
            let made = initialize(&test, &driver, &seconds(20), &[pen.setting()], grant).await;
            assert_eq!(made.is_ok(), works, "{name}, try {number}: {made:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_initialisation_used_is_known() {
    let test = TestSandbox::start().await;
    for (name, code) in [
        ("spin-in-setup", "wall-timeout"),
        ("trap-in-setup", "trap"),
        ("grow-in-setup", "memory-denied"),
        ("endless-host-calls", "wall-timeout"),
    ] {
        let driver = test.load(&hostile(name)).await.unwrap();
        let budget = Budget::new(Duration::from_millis(500), PLENTY);
        let failure = initialize(&test, &driver, &budget, &[], None).await.unwrap_err();
        assert_eq!(failure.code(), code, "{name}");
        let used = budget.used();
        let least = if code == "wall-timeout" { 1_000_000 } else { 100 };
        assert!(
            used.fuel >= least && used.peak_memory >= 1 << 20,
            "{name}: {used:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spinning_guest_runs_out_of_fuel_when_that_comes_first() {
    let test = TestSandbox::start().await;
    for (name, phase) in [
        ("spin-in-setup", "do-setup"),
        ("spin-in-start", "instantiate"),
        ("spin-in-describe", "describe"),
    ] {
        let budget = Budget::new(Duration::from_secs(60), 50_000_000);
        let failure = initialized(&test, name, &budget).await.unwrap_err();
        assert_eq!(failure.code(), "out-of-fuel", "{name}");
        assert!(failure.to_string().starts_with(phase), "{failure}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_was_ended_takes_no_call() {
    let test = TestSandbox::start().await;
    let instance = initialized(&test, "spin-in-probe", &seconds(5)).await.unwrap();
    let short = Budget::new(Duration::from_millis(100), PLENTY);
    assert_eq!(instance.probe(&short).await.unwrap_err().code(), "wall-timeout");
    assert!(!instance.is_alive());
    assert_eq!(instance.probe(&seconds(1)).await.unwrap_err().code(), "host");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_ends_the_instance() {
    let test = TestSandbox::start().await;
    let instance = initialized(&test, "spin-in-probe", &seconds(5)).await.unwrap();
    let budget = seconds(60);
    let call = instance.probe(&budget);
    assert!(
        tokio::time::timeout(Duration::from_millis(50), call)
            .await
            .is_err()
    );
    assert!(!instance.is_alive());
    wait_for_threads(&test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_over_the_limit_is_refused_also_when_there_is_room_for_it() {
    let test = TestSandbox::start().await;
    let test = test.with(|limits| (limits.hostcall_bytes, limits.memory) = (1 << 30, 512 << 20));
    let instance = initialized(&test, "huge-list", &seconds(30)).await.unwrap();
    let failure = instance.list_objects("c", "p", None, 1000).await.unwrap_err();
    assert_eq!(failure.code(), "driver.failed", "{failure}");
}
