//! Completions and man pages: there is one for everything, and shells and man understand them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests"
)]

use std::io::Write;
use std::process::{Command, Stdio};

use cofferdam_tests::cofferdam;
use cofferdam_tests::service::Service;

fn print(arguments: &[&str]) -> String {
    let output = Command::new(cofferdam()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn there_are_completions_for_each_shell_that_name_the_commands_and_parse() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = print(&["completions", shell]);
        for word in ["reinitialize", "orphans", "until-idle", "cacert"] {
            assert!(script.contains(word), "{shell}: {word} is missing");
        }
        let shell = Command::new(shell).args(["-n"]).stdin(Stdio::piped()).spawn();
        let Ok(mut shell) = shell else { continue };
        shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
    }
}

#[test]
fn there_is_a_page_for_each_command_and_every_option_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    print(&["man", folder.path().to_str().unwrap()]);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    for command in [
        "run",
        "watch",
        "backup",
        "backup-create",
        "service-events",
        "config-reload",
        "man",
    ] {
        assert!(
            read(&format!("cofferdam-{command}.1")).contains("DESCRIPTION"),
            "{command}"
        );
    }
    assert!(
        !folder.path().join("cofferdam-compile-component.1").exists(),
        "not for people"
    );
    assert_eq!(print(&["man"]), read("cofferdam.1"));
    let (page, service) = (read("cofferdam.toml.5"), Service::posix(""));
    for option in service.json(&["config", "options"]).as_array().unwrap() {
        let name = option["name"].as_str().unwrap().replace('-', "\\-");
        assert!(page.contains(&name), "{name} is missing");
    }
    if Command::new("man").arg("--version").output().is_err() {
        eprintln!("SKIPPED: man is not here");
        return;
    }
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let file = entry.unwrap().path();
        let output = Command::new("man")
            .args(["--warnings", "-l"])
            .arg(&file)
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success() && said.is_empty(),
            "{}: {said}",
            file.display()
        );
        assert!(output.stdout.len() > 300);
    }
}
