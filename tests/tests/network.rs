//! What a deployer grants of the network, a guest gets; and nothing beside it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cofferdam_sandbox::contract::SettingValue;
use cofferdam_sandbox::requirements::Grants;
use cofferdam_sandbox::{Budget, Failure};
use cofferdam_tests::guests::initialize_with;
use cofferdam_tests::{PLENTY, TestSandbox, hostile};

/// A server that answers every connection with 204, and counts them.
fn server() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, count) = (
        listener.local_addr().unwrap().port(),
        Arc::new(AtomicUsize::new(0)),
    );
    let counted = count.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
        }
    });
    (port, count)
}

/// Initialises a guest, which takes the port of its server if it has one, and fails as such guests always do.
async fn visit(test: &TestSandbox, guest: &str, port: Option<u16>, grants: &Grants) -> Failure {
    let driver = test.load(&hostile(guest)).await.unwrap();
    let budget = Budget::new(Duration::from_secs(10), PLENTY);
    let port = port.map(|port| ("hostile_port", SettingValue::Integer(port.into())));
    initialize_with(test, &driver, &budget, port.as_slice(), grants)
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_granted_origin_is_reached_and_its_neighbour_is_not() {
    let test = TestSandbox::start().await;
    let (port, count) = server();
    let grants = |origin: String| Grants {
        http: vec![origin.parse().unwrap()],
        ..Grants::default()
    };
    let failure = visit(
        &test,
        "dial-loopback",
        Some(port),
        &grants(format!("http://127.0.0.1:{port}")),
    )
    .await;
    assert!(failure.to_string().contains("it answered"), "{failure}");
    assert_eq!(
        (count.load(Ordering::SeqCst), test.sandbox.denials("test")),
        (1, 0)
    );
    for other in [
        format!("http://127.0.0.1:{}", port ^ 1),
        format!("https://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
    ] {
        let failure = visit(&test, "dial-loopback", Some(port), &grants(other)).await;
        assert_eq!(failure.code(), "denied", "{failure}");
        let line = format!("http = [\"http://127.0.0.1:{port}\"]");
        assert!(failure.remedy().contains(&line), "{}", failure.remedy());
    }
    assert_eq!(
        (count.load(Ordering::SeqCst), test.sandbox.denials("test")),
        (1, 3)
    );
}

#[tokio::test]
async fn raw_tcp_reaches_the_granted_address_and_opens_no_other_door() {
    let test = TestSandbox::start().await;
    let (port, _) = server();
    let grants = Grants {
        tcp: vec![format!("127.0.0.1:{port}").parse().unwrap()],
        ..Grants::default()
    };
    let failure = visit(&test, "raw-sockets", Some(port), &grants).await;
    let told = failure.to_string();
    assert!(
        told.contains("1 of 5 doors open: connect to the loopback"),
        "{told}"
    );
    let failure = visit(&test, "raw-sockets", Some(port), &Grants::default()).await;
    assert_eq!(failure.code(), "denied", "{failure}");
}

#[tokio::test]
async fn a_metadata_address_cannot_be_granted() {
    let test = TestSandbox::start().await;
    let grants = Grants {
        http: vec!["http://*.example.com".parse().unwrap()],
        networks: vec!["0.0.0.0/0".parse().unwrap()],
        ..Grants::default()
    };
    let failure = visit(&test, "dial-metadata", None, &grants).await;
    assert_eq!(failure.code(), "denied", "{failure}");
    assert!(
        failure.remedy().contains("no grant allows it"),
        "{}",
        failure.remedy()
    );
}
