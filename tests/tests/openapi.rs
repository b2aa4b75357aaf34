//! The API is what `GET /openapi.json` says: a tester that knows nothing but that document finds no answer that is not in it, and
//! no server's error.

use std::process::Command;

use cofferdam_tests::cinder::Cinder;
use cofferdam_tests::clients::Clients;
use serde_json::Value;

const SEED: &str = "7";

#[test]
fn the_document_is_served_to_everybody_and_is_the_one_in_the_repository() {
    let cinder = Cinder::start("");
    let served = cinder
        .rest("ada", "p")
        .with_token(None)
        .get("/openapi.json")
        .expect(200);
    let kept: Value =
        serde_json::from_str(include_str!("../../runtime/api/openapi.json")).expect("the document is JSON");
    assert_eq!(served.json(), kept);
    let paths = kept["paths"].as_object().expect("paths");
    assert!(paths.len() > 20, "{}", paths.len());
}

#[test]
fn every_request_that_the_document_allows_and_many_that_it_does_not_is_answered_as_it_says() {
    let Some(clients) = Clients::get() else { return };
    let cinder = Cinder::start("");
    // Something to be found by what it reads first.
    let rest = cinder.rest("admin", "p");
    let volume = cinder.volume(&rest, "disk", 1);
    cinder.backup(&rest, &volume, "backup");
    // One worker: Python 3.11 cannot parse source in two threads at once (CPython issue 106905), which the tester does.
    let output = Command::new(clients.program("schemathesis"))
        .args(["run", &format!("http://{}/openapi.json", rest.address())])
        .args(["--header", "X-Auth-Token: admin:p"])
        .args(["--phases", "examples,coverage,fuzzing,stateful"])
        .args([
            "--checks",
            "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        ])
        .args([
            "--seed",
            SEED,
            "--max-examples",
            "8",
            "--max-time",
            "45",
            "--workers",
            "1",
        ])
        .args(["--generation-database", "none", "--warnings", "off", "--no-color"])
        .current_dir(cinder.folder())
        .output()
        .expect("the tester runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tail: Vec<&str> = said.lines().rev().take(12).collect();
    println!("{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
    assert!(!cinder.log().contains("panicked"), "{}", cinder.log());
}
