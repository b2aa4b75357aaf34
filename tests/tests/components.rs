//! What is refused before anything is compiled, and with which words.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use cofferdam_sandbox::component::{CONTRACT_VERSION, examine};
use cofferdam_sandbox::{Failure, Limits};
use cofferdam_tests::{TestSandbox, drivers};

fn refused(bytes: &[u8], words: &str) {
    let failure = examine(bytes, &Limits::default()).unwrap_err();
    assert_eq!(failure.code(), "invalid-component");
    assert!(
        failure.to_string().contains(words),
        "{words:?} is not in: {failure}"
    );
}

fn text(wat: &str, words: &str) {
    refused(&wat::parse_str(wat).unwrap(), words);
}

#[test]
fn what_is_no_component_is_refused_with_what_it_is() {
    refused(b"", "not WebAssembly");
    refused(b"#!/bin/sh\n", "not WebAssembly");
    refused(b"\0asm", "core module");
    text("(module)", "core module");
    let whole = std::fs::read(drivers().join("posix.wasm")).unwrap();
    for cut in [9, 100, whole.len() / 2, whole.len() - 1] {
        refused(&whole[..cut], "damaged");
    }
}

#[test]
fn a_component_of_another_world_is_refused_with_its_names() {
    text("(component)", "exports: none");
    text(
        r#"(component (instance $i) (export "wasi:http/incoming-handler@0.2.0" (instance $i)))"#,
        "wasi:http/incoming-handler@0.2.0",
    );
    text(
        r#"(component (instance $i) (export "cofferdam:backup/backup-driver@0.9.0" (instance $i)))"#,
        "built for version 0.9.0 of the contract",
    );
    text(
        &format!(
            r#"(component (instance $i) (export "cofferdam:backup/backup-driver@{CONTRACT_VERSION}" (instance $i)))"#
        ),
        "does not export the interface \"cofferdam:backup/object-store",
    );
}

#[test]
fn an_unknown_import_is_refused_by_name() {
    text(
        r#"(component (import "evil:host/door" (instance)))"#,
        "\"evil:host/door\"",
    );
    text(
        r#"(component (import "wasi:nn/graph@0.2.0" (instance)))"#,
        "\"wasi:nn/graph@0.2.0\"",
    );
    text(
        r#"(component (import "wasi:io/streams@0.3.0" (instance)))"#,
        "\"wasi:io/streams@0.3.0\"",
    );
}

#[test]
fn an_export_lifted_asynchronously_is_refused_by_name() {
    let wat = format!(
        r#"(component
            (core module $m
                (func (export "run") (result i32) (i32.const 0))
                (func (export "back") (param i32 i32 i32) (result i32) (i32.const 0)))
            (core instance $i (instantiate $m))
            (func $probe async (canon lift (core func $i "run") async (callback (core func $i "back"))))
            (instance $driver (export "probe" (func $probe)))
            (export "cofferdam:backup/backup-driver@{CONTRACT_VERSION}" (instance $driver)))"#
    );
    text(&wat, "lifts \"probe\" asynchronously");
}

#[test]
fn a_proposal_that_is_switched_off_is_refused() {
    let driver = format!("cofferdam:backup/backup-driver@{CONTRACT_VERSION}");
    let store = format!("cofferdam:backup/object-store@{CONTRACT_VERSION}");
    let wat = format!(
        r#"(component (core module (memory 1 2 shared)) (instance $i)
            (export "{driver}" (instance $i)) (export "{store}" (instance $i)))"#
    );
    text(&wat, "switched off");
}

#[test]
fn a_file_over_the_limit_is_refused_with_both_sizes() {
    let whole = std::fs::read(drivers().join("posix.wasm")).unwrap();
    let limits = Limits {
        component_size: 1000,
        ..Limits::default()
    };
    let failure = examine(&whole, &limits).unwrap_err().to_string();
    assert!(
        failure.contains(&whole.len().to_string()) && failure.contains("1000"),
        "{failure}"
    );
}

#[test]
fn no_random_damage_of_a_component_makes_the_host_panic() {
    let whole = std::fs::read(drivers().join("hostile/good.wasm")).unwrap();
    let (mut state, mut refusals) = (7_u64, 0);
    const ROUNDS: u32 = 300;
    for _ in 0..ROUNDS {
        let mut bytes = whole.clone();
        for _ in 0..3 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = (state >> 33) as usize % bytes.len();
            bytes[at] ^= (state >> 13) as u8 | 1;
        }
        refusals += u32::from(examine(&bytes, &Limits::default()).is_err());
    }
    println!("{ROUNDS} damaged components, {refusals} refused at once, 0 panics");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compile_that_takes_too_long_is_ended() {
    let mut test = TestSandbox::start().await;
    test.limits.compile_timeout = std::time::Duration::from_millis(1);
    let failure = test.load(&drivers().join("posix.wasm")).await.unwrap_err();
    assert!(matches!(failure, Failure::CompileTimeout { .. }), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_compile_cache_is_noticed_and_made_anew() {
    let test = TestSandbox::start().await;
    let driver = drivers().join("posix.wasm");
    test.load(&driver).await.unwrap();
    let cached = std::fs::read_dir(test.folder().join("compiled"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let cached = cached
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "cwasm"))
        .unwrap();
    let mut bytes = std::fs::read(&cached).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&cached, &bytes).unwrap();
    test.load(&driver).await.unwrap();
    assert_ne!(
        std::fs::read(&cached).unwrap(),
        bytes,
        "the damaged file must be replaced"
    );
}
