//! The commands as a new user meets them: help, errors with their place, exit codes, `--json`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use cofferdam_tests::service::Service;
use cofferdam_tests::{cofferdam, drivers, hostile};

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn help_names_every_command_and_the_exit_codes() {
    let output = std::process::Command::new(cofferdam())
        .arg("--help")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for word in [
        "run",
        "service",
        "backup",
        "driver",
        "config",
        "Exit codes",
        "--json",
    ] {
        assert!(text.contains(word), "{word} is missing in:\n{text}");
    }
    assert!(
        !text.contains("compile-component"),
        "the compiling child is not for people"
    );
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    let output = std::process::Command::new(cofferdam())
        .args(["backup", "mend"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_missing_configuration_says_which_file_and_how_to_name_another() {
    let output = std::process::Command::new(cofferdam())
        .args(["--config", "/no/such.toml", "service", "list"])
        .output()
        .unwrap();
    let text = stderr(&output);
    assert!(
        text.contains("/no/such.toml") && text.contains("--config"),
        "{text}"
    );
}

#[test]
fn an_unknown_driver_is_an_error_with_its_place_and_the_drivers_there_are() {
    let service = Service::configure("", "[backends.a]\nbackup_driver = \"psoix\"\n");
    for arguments in [["config", "check"], ["service", "list"]] {
        let (code, error) = service.refused(&arguments);
        let message = error["message"].as_str().unwrap();
        assert_eq!((code, &error["code"]), (3, &"configuration".into()), "{message}");
        assert!(
            message.contains("cofferdam.toml:6:1:") && message.contains("posix"),
            "{message}"
        );
    }
}

#[test]
fn config_check_finds_wrong_settings_and_missing_grants_without_touching_storage() {
    let service = Service::posix("");
    std::fs::remove_dir(service.backups()).unwrap();
    assert_eq!(
        service.json(&["config", "check"])["sound"],
        true,
        "the folder's absence is not the file's fault"
    );

    for (section, place, words) in [
        ("backup_posix_pth = \"/x\"\n", ":7:1:", "no such option"),
        ("backup_posix_path = 7\n", ":7:1:", "not an absolute path"),
        ("backup_posix_path = \"/x\"\n", ":5:", "is not granted"),
        ("", ":5:", "required"),
    ] {
        service.rewrite("", &format!("[backends.a]\nbackup_driver = \"posix\"\n{section}"));
        let (code, error) = service.refused(&["config", "check"]);
        let message = error["message"].as_str().unwrap();
        assert_eq!(code, 3, "{message}");
        assert!(
            message.contains(place) && message.contains(words),
            "{place} {words} not in: {message}"
        );
    }
}

#[test]
fn config_show_says_where_each_value_comes_from() {
    let service = Service::posix("failure_threshold = 2\n");
    let shown = service.json(&["config", "show"]);
    let good = &shown["backends"]["good"]["options"];
    assert_eq!(good["failure_threshold"]["value"], 2);
    assert!(
        good["failure_threshold"]["origin"]
            .as_str()
            .unwrap()
            .contains("cofferdam.toml:")
    );
    assert_eq!(good["report_interval"]["origin"], "default");
    let text = service.run(&["config", "show"]);
    assert!(String::from_utf8_lossy(&text.stdout).contains("# granted: "));
}

#[test]
fn the_page_of_options_is_current() {
    let output = std::process::Command::new(cofferdam())
        .args(["config", "options", "--markdown"])
        .output()
        .unwrap();
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    let kept = std::fs::read_to_string(page).unwrap_or_default();
    assert!(
        String::from_utf8_lossy(&output.stdout) == kept,
        "docs/configuration.md is old: run ./dev docs"
    );
}

#[test]
fn driver_inspect_tells_what_a_driver_asks_for_and_gets() {
    let service = Service::posix("");
    let file = drivers().join("posix.wasm");
    let found = service.json(&["driver", "inspect", file.to_str().unwrap()]);
    assert_eq!(found["info"]["name"], "posix");
    assert_eq!(found["report"]["contract"], "0.1.0");
    let directories = &found["backends"][0]["directories"];
    assert_eq!(
        directories[0]["path"].as_str().unwrap(),
        service.backups().to_str().unwrap()
    );
    assert_eq!(directories[0]["write"], true);
    let text = String::from_utf8_lossy(&service.run(&["driver", "inspect", file.to_str().unwrap()]).stdout)
        .into_owned();
    for word in [
        "backup_posix_path",
        "required",
        "wasi:filesystem/types",
        "gets directory",
        "memory 128MiB",
    ] {
        assert!(text.contains(word), "{word} is missing in:\n{text}");
    }
    let spin = hostile("spin-in-setup");
    assert_eq!(
        service.json(&["driver", "inspect", spin.to_str().unwrap()])["info"]["name"],
        "hostile"
    );
    let (_, error) = service.refused(&["driver", "inspect", "/bin/sh"]);
    assert_eq!(error["code"], "invalid-component", "{error:#}");
}

#[test]
fn an_unknown_backend_is_exit_code_4_and_names_those_there_are() {
    let service = Service::posix("");
    let (code, error) = service.refused(&["service", "show", "bad"]);
    assert_eq!(code, 4);
    assert!(error["message"].as_str().unwrap().contains("good"), "{error:#}");
}

#[test]
fn tables_are_plain_when_nobody_looks() {
    let service = Service::posix("");
    let output = service.run(&["service", "list"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("BACKEND") && text.contains("good"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours in a pipe: {text:?}");
}
