//! The life of a backend through the built binary: never up before the first success, down at once with a reason, up
//! again by itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::time::Duration;

use cofferdam_tests::service::Service;

const MISSING: &str = "[backends.missing]\nbackup_driver = \"posix\"\nbackup_posix_path = \"{folder}/mount/b\"\n\
    grants.directories = [{ path = \"{folder}/mount\", access = \"read-write\" }]\n";

#[test]
fn a_backend_whose_storage_is_missing_is_down_with_a_reason_and_comes_up_by_itself() {
    let mut service = Service::configure("periodic_interval = \"1s\"", MISSING);
    service.start();
    let down = service.wait("missing", Duration::from_secs(10), |status| {
        status["phase"] == "down"
    });
    assert_eq!(down["state"], "down");
    assert_eq!(down["code"], "host");
    assert!(
        down["message"].as_str().unwrap().contains("cannot be opened"),
        "{down:#}"
    );
    assert!(
        down["remedy"].as_str().unwrap().contains("comes up by itself"),
        "{down:#}"
    );
    let (code, error) = service.refused(&["backup", "create", "/dev/null", "--backend", "missing"]);
    assert_eq!((code, &error["code"]), (5, &"backend-down".into()), "{error:#}");

    std::fs::create_dir_all(service.path("mount/b")).unwrap();
    let up = service.wait("missing", Duration::from_secs(3), |status| {
        status["state"] == "up"
    });
    assert_eq!(up["code"], serde_json::Value::Null, "{up:#}");
    service.stop();
}

#[test]
fn a_backend_that_loses_its_storage_goes_down_and_comes_back() {
    let mut service = Service::posix("failure_threshold = 2\nperiodic_interval = \"200ms\"\n");
    service.start();
    service.wait("good", Duration::from_secs(10), |status| status["state"] == "up");
    for _ in 0..3 {
        std::fs::remove_dir_all(service.backups()).unwrap();
        let down = service.wait("good", Duration::from_secs(5), |status| status["state"] == "down");
        assert!(!down["code"].is_null(), "{down:#}");
        std::fs::create_dir(service.backups()).unwrap();
        service.wait("good", Duration::from_secs(5), |status| status["state"] == "up");
    }
    service.stop();
}

#[test]
fn a_driver_that_is_no_component_is_down_with_what_was_found() {
    let mut service = Service::configure(
        "",
        "[backends.text]\nbackup_driver = \"text.wasm\"\n[backends.cut]\nbackup_driver = \"cut.wasm\"\n\
         [backends.core]\nbackup_driver = \"core.wasm\"\n[backends.gone]\nbackup_driver = \"gone.wasm\"\n\
         [backends.world]\nbackup_driver = \"world.wasm\"\n",
    );
    let whole = std::fs::read(cofferdam_tests::drivers().join("posix.wasm")).unwrap();
    std::fs::write(service.path("text.wasm"), "this is text").unwrap();
    std::fs::write(service.path("cut.wasm"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(service.path("core.wasm"), b"\0asm\x01\0\0\0").unwrap();
    std::fs::write(service.path("world.wasm"), b"\0asm\x0d\0\x01\0").unwrap();
    service.start();
    for (backend, code, words) in [
        ("text", "invalid-component", "not WebAssembly"),
        ("cut", "invalid-component", "damaged"),
        ("core", "invalid-component", "core module"),
        ("gone", "host", "cannot be read"),
        ("world", "invalid-component", "another world"),
    ] {
        let down = service.wait(backend, Duration::from_secs(10), |status| {
            status["phase"] == "down"
        });
        assert_eq!(down["code"], code, "{down:#}");
        assert!(down["message"].as_str().unwrap().contains(words), "{down:#}");
        assert_eq!(down["state"], "down");
    }
    service.stop();
}

#[test]
fn an_ungranted_directory_is_denied_with_the_line_to_add() {
    let mut service = Service::configure(
        "",
        "[backends.a]\nbackup_driver = \"posix\"\nbackup_posix_path = \"{folder}\"\n\
         [backends.b]\nbackup_driver = \"posix\"\nbackup_posix_path = \"{folder}\"\n\
         grants.directories = [{ path = \"{folder}\", access = \"read-only\" }]\n",
    );
    service.start();
    for backend in ["a", "b"] {
        let down = service.wait(backend, Duration::from_secs(10), |status| {
            status["phase"] == "down"
        });
        assert_eq!(down["code"], "denied", "{down:#}");
        assert!(
            down["remedy"]
                .as_str()
                .unwrap()
                .contains("directories = [{ path ="),
            "{down:#}"
        );
    }
    service.stop();
}

#[test]
fn the_service_stops_while_a_driver_spins() {
    let mut service = Service::configure(
        "",
        "[backends.spin]\nbackup_driver = \"{drivers}/hostile/spin-in-setup.wasm\"\n\
         backup_initialization_fuel = 1_000_000_000_000_000\n",
    );
    service.start();
    service.wait("spin", Duration::from_secs(10), |status| {
        status["phase"] == "initializing"
    });
    let begin = std::time::Instant::now();
    service.stop();
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[test]
fn two_services_on_one_state_folder_are_refused() {
    let mut service = Service::posix("");
    service.start();
    let output = service.run(&["run"]);
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("uses the state folder"), "{text}");
    service.stop();
}
