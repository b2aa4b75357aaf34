//! Bad weather between the service and a real storage: every few requests one is late, refused, cut or lost. What may pass by
//! itself must not reach the user: backups, increments, restores and verifications all succeed, and every byte is right.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

use std::os::unix::fs::FileExt;
use std::time::Duration;

use cofferdam_conformance::proxy::{Answer, Fault, Proxy, Rule};
use cofferdam_tests::servers::Swift;
use cofferdam_tests::service::Service;
use http::StatusCode;
use serde_json::json;

const SOON: Duration = Duration::from_secs(60);

/// Every so manieth request meets a fault.
const EVERY: usize = 6;

/// Faults that may pass, one after the other, for as many requests as any test makes.
fn weather() -> impl Iterator<Item = Rule> {
    let a_while = Duration::from_millis(150);
    let status = |status: StatusCode| Answer::status(status);
    let faults = [
        Fault::Late(a_while),
        Fault::Answer(status(StatusCode::SERVICE_UNAVAILABLE).retry_after(1)),
        Fault::ResetBefore,
        Fault::AnswerAfterBody(status(StatusCode::INTERNAL_SERVER_ERROR)),
        Fault::ResetInRequest(70_000),
        Fault::Withheld(a_while),
        Fault::ResetAfter,
        Fault::ResetInAnswer(100_000),
        Fault::AnswerAfterServer(status(StatusCode::BAD_GATEWAY)),
        Fault::ShortAnswer(40_000),
        Fault::Answer(status(StatusCode::TOO_MANY_REQUESTS)),
    ];
    let faults = faults.into_iter().cycle();
    (1..400)
        .zip(faults)
        .map(|(turn, fault)| Rule::new("", fault).skip(turn * EVERY).times(1))
}

#[tokio::test(flavor = "multi_thread")]
async fn in_bad_weather_every_backup_is_made_and_every_byte_comes_back() {
    let Some(swift) = Swift::start(23600) else { return };
    let proxy = Proxy::start(swift.value("swift_url").strip_prefix("http://").unwrap())
        .await
        .unwrap();
    let key = format!("{:?}", swift.value("key"));
    let sections = swift.sections([&key, &key], ["", ""]);
    let (direct, proxied) = (swift.value("swift_url"), format!("http://{}", proxy.authority()));
    let mut service = Service::configure(
        "periodic_interval = \"1s\"\nfailure_threshold = 100\nbackup_initialization_timeout = \"20s\"\ndriver_retry_wait = \"50ms\"\n\
         backup_compression_algorithm = \"zstd\"",
        &sections.replace(direct, &proxied).replace("2MiB", "1MiB"),
    );
    let volume = service.path("volume");
    let mut content = vec![0; 12 << 20];
    let mut chance = fastrand::Rng::with_seed(4);
    chance.fill(&mut content[..9 << 20]);
    std::fs::write(&volume, &content).unwrap();
    service.start();
    let mut operations = 0;
    for backend in ["s3", "swift"] {
        service.wait(backend, SOON, |status| status["state"] == "up");
        std::fs::write(&volume, &content).unwrap();
        proxy.mend();
        weather().for_each(|rule| proxy.inject(rule));
        let full = service
            .operate("/v1/backups", &json!({ "volume": volume, "backend": backend }))
            .0;
        let file = std::fs::File::options().write(true).open(&volume).unwrap();
        for at in [1_u64, 5, 10] {
            file.write_all_at(&[at as u8; 70_000], at << 20).unwrap();
        }
        let changed = std::fs::read(&volume).unwrap();
        let more = json!({ "volume": volume, "backend": backend, "incremental": true });
        let second = service.operate("/v1/backups", &more).0;
        for (id, content) in [(&full, &content), (&second, &changed)] {
            let target = service.path("restored");
            let _ = std::fs::remove_file(&target);
            service.operate(&format!("/v1/backups/{id}/restore"), &json!({ "target": target }));
            assert!(
                std::fs::read(&target).unwrap() == *content,
                "{backend}: it came back otherwise"
            );
            service.operate(&format!("/v1/backups/{id}/verify"), &serde_json::Value::Null);
            operations += 3;
        }
        for id in [&second, &full] {
            service.json(&["backup", "delete", id]);
            operations += 1;
        }
    }
    let (requests, faults) = (proxy.seen().len(), proxy.faults());
    assert!(faults >= 40, "{faults} of {requests}");
    println!("{operations} operations, {requests} requests, {faults} faults, 0 failed");
    service.stop();
}
