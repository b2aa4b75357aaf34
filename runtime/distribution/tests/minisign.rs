//! Signatures made by minisign itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code"
)]

mod helpers;

use std::process::{Command, Stdio};

use cofferdam_distribution::{Request, TrustedKeys};
use helpers::{Place, component, said, skip};

fn minisign(arguments: &[&str]) -> bool {
    let done = Command::new("minisign")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    done.status.success()
}

#[tokio::test]
async fn what_minisign_signed_is_taken_and_its_old_kind_of_signature_is_refused_by_name() {
    if Command::new("minisign").arg("-v").output().is_err() {
        skip("minisign is not here (on Debian: apt-get install minisign)");
        return;
    }
    let place = Place::new();
    let bytes = component(1, 1_000_000);
    let file = place.file("driver.wasm", &bytes);
    let at = |name: &str| place.path(name).to_str().unwrap().to_owned();
    let (public, secret, file_text) = (at("minisign.pub"), at("minisign.key"), at("driver.wasm"));
    assert!(minisign(&["-G", "-W", "-f", "-p", &public, "-s", &secret]));
    let sign = ["-S", "-s", &secret, "-t", "shelf 1.0", "-m", &file_text];
    assert!(minisign(&sign));
    let request = || Request {
        keys: TrustedKeys::read(&[&public]).unwrap(),
        ..Request::default()
    };
    let fetched = place.fetch(&file, &request()).await.unwrap();
    let signer = fetched.signer().unwrap();
    assert_eq!(signer.comment, "shelf 1.0");
    let key = std::fs::read_to_string(&public).unwrap();
    assert!(key.contains(&signer.key), "minisign shows the id as we do: {key}");
    fetched.install(&said("shelf", "1.0"), None, false).unwrap();
    // And what we keep, minisign takes.
    let installed = place.store.path().join("shelf/driver.wasm");
    assert!(minisign(&[
        "-V",
        "-p",
        &public,
        "-m",
        installed.to_str().unwrap()
    ]));

    assert!(minisign(&["-S", "-l", "-s", &secret, "-m", &file_text]));
    let error = place.fetch(&file, &request()).await.unwrap_err().to_string();
    assert!(
        error.contains("old kind") && error.contains(&request().keys.ids()[0]),
        "{error}"
    );
}
