//! What authors and those who install drivers type: new, componentize, inspect, test, pack, push, add, list, verify, remove.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use base64::Engine as _;
use cofferdam_tests::servers::Registry;
use cofferdam_tests::service::Service;
use cofferdam_tests::{drivers, mutant};
use serde_json::Value;

fn text(path: &std::path::Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// What a command that fails prints: its exit code, and both outputs.
fn fails(service: &Service, arguments: &[&str]) -> (i32, String, String) {
    let output = service.run(arguments);
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap(),
        shown(&output.stdout),
        shown(&output.stderr),
    )
}

#[test]
fn a_project_is_made_for_each_language_and_never_over_another() {
    let service = Service::configure("", "");
    let into = text(service.folder());
    for language in ["rust", "python", "typescript", "c"] {
        let name = format!("my-{language}");
        let arguments = ["driver", "new", &name, "--lang", language, "--into", &into];
        let made = service.json(&arguments);
        assert_eq!(made["language"], language);
        let project = service.path(&name);
        let readme = std::fs::read_to_string(project.join("README.md")).unwrap();
        assert!(readme.contains(&name) && !readme.contains("{{"), "{readme}");
        let (exit, _, said) = fails(&service, &arguments);
        assert!(exit == 1 && said.contains("is there already"), "{exit} {said}");
    }
    let (exit, _, said) = fails(
        &service,
        &["driver", "new", "../out", "--lang", "c", "--into", &into],
    );
    assert!(
        exit == 1 && said.contains("cannot be a driver's name"),
        "{exit} {said}"
    );
}

#[test]
fn what_is_no_core_module_is_no_component_either() {
    let service = Service::configure("", "");
    let (module, out) = (service.path("text.wasm"), text(&service.path("out.wasm")));
    std::fs::write(&module, "text").unwrap();
    let (exit, _, said) = fails(&service, &["driver", "componentize", &text(&module), "-o", &out]);
    assert!(
        exit == 1 && said.contains("no WebAssembly core module"),
        "{exit} {said}"
    );
    let posix = text(&drivers().join("posix.wasm"));
    let (exit, _, said) = fails(&service, &["driver", "componentize", &posix, "-o", &out]);
    assert!(exit == 1 && said.contains("component already"), "{exit} {said}");
    assert!(!service.path("out.wasm").exists());
}

#[test]
fn the_kit_by_hand_tells_what_passed_what_failed_and_how_to_do_it_again() {
    let service = Service::configure("", "");
    let (root, junit) = (service.path("root"), service.path("junit.xml"));
    std::fs::create_dir(&root).unwrap();
    let posix = text(&drivers().join("posix.wasm"));
    let set = format!("backup_posix_path={}", root.display());
    let arguments = [
        "driver",
        "test",
        &posix,
        "--set",
        &set,
        "--only",
        "objects",
        "--junit",
        &text(&junit),
    ];
    let report = service.json(&arguments);
    assert_eq!(
        (&report["driver"], &report["failed"]),
        (&"posix".into(), &0.into())
    );
    assert_eq!(report["score"], 100);
    let passed = report["cases"].as_array().unwrap().iter();
    let passed = passed.filter(|case| case["outcome"] == "passed").count();
    assert!(passed > 3 && report["passed"] == passed);
    assert!(std::fs::read_to_string(junit).unwrap().contains("<testsuite"));

    let broken = text(&mutant("list-unsorted"));
    let set = format!("mutants_path={}", root.display());
    let (exit, out, said) = fails(
        &service,
        &["driver", "test", &broken, "--set", &set, "--only", "40"],
    );
    assert_eq!(exit, 1, "{said}");
    assert!(
        out.contains("FAILED") && out.contains("expected ") && out.contains("it matters: "),
        "{out}"
    );
    assert!(
        out.contains("again: cofferdam driver test") && out.contains("--only"),
        "{out}"
    );

    let (exit, _, said) = fails(
        &service,
        &["driver", "test", &posix, "--set", "backup_posix_pth=/x"],
    );
    assert!(
        exit == 3 && said.contains("it has: backup_posix_path"),
        "{exit} {said}"
    );
    let (exit, _, said) = fails(
        &service,
        &["driver", "test", "--list", "--only", "nothing has this"],
    );
    assert!(exit == 4, "{exit} {said}");
}

/// The posix driver as a package folder, and as an image of a layout with the tag 1.0.
fn packed(service: &Service) -> (String, String) {
    let (package, layout) = (text(&service.path("package")), text(&service.path("image")));
    let posix = text(&drivers().join("posix.wasm"));
    let pack = [
        "driver",
        "pack",
        &posix,
        "-o",
        &package,
        "--layout",
        &layout,
        "--tag",
        "1.0",
        "--licence",
        "Apache-2.0",
    ];
    service.json(&pack);
    (package, layout)
}

#[test]
fn a_driver_is_packed_added_used_held_to_its_digest_and_not_removed_while_it_is_used() {
    let mut service = Service::configure("", "");
    let (package, layout) = packed(&service);
    let store = text(&service.path("store"));
    let added = service.json(&["driver", "add", &format!("{layout}:1.0"), "--store", &store]);
    assert_eq!(
        (&added["name"], &added["outcome"]),
        (&"posix".into(), &"added".into())
    );
    let digest = added["sha256"].as_str().unwrap().to_owned();
    let again = service.json(&["driver", "add", &package, "--store", &store]);
    assert_eq!(again["outcome"], "was there already");
    let listed = service.json(&["driver", "list", "--store", &store]);
    assert_eq!(
        (&listed[0]["condition"], &listed[0]["sha256"]),
        (&"whole".into(), &digest.clone().into())
    );

    let section = |digest: &str| {
        format!(
            "[backends.one]\nbackup_driver = \"posix\"\ndriver_sha256 = \"{digest}\"\nbackup_posix_path = \"{{folder}}/root\"\n\
             grants.directories = [{{ path = \"{{folder}}/root\", access = \"read-write\" }}]\n"
        )
    };
    std::fs::create_dir(service.path("root")).unwrap();
    let configure = |service: &Service, digest: &str| {
        service.rewrite("", &section(digest));
        let text = std::fs::read_to_string(service.config()).unwrap();
        let own = text.replace(&drivers().to_string_lossy().into_owned(), &store);
        std::fs::write(service.config(), own).unwrap();
    };
    configure(&service, &digest);
    std::fs::write(service.path("volume"), vec![7; 1 << 20]).unwrap();
    let volume = text(&service.path("volume"));
    service.json(&["backup", "create", &volume]);
    let (exit, said) = service.refused(&["driver", "remove", "posix"]);
    assert!(
        exit == 6 && said["message"].as_str().unwrap().contains("used by: one"),
        "{said}"
    );

    // Another digest: the backend is down with the reason, and nothing of the driver is run.
    configure(&service, &"0".repeat(64));
    service.start();
    let status = service.wait("one", std::time::Duration::from_secs(60), |status: &Value| {
        status["code"] == "invalid-component"
    });
    let message = status["message"].as_str().unwrap();
    assert!(
        message.contains(&digest) && message.contains("the configuration holds it to"),
        "{message}"
    );
    service.stop();

    // Bytes that were changed are found, and the driver goes when nobody uses it.
    let component = service.path("store/posix/driver.wasm");
    let mut bytes = std::fs::read(&component).unwrap();
    bytes.push(0);
    std::fs::write(&component, bytes).unwrap();
    let (exit, _) = service.refused(&["driver", "verify", "posix"]);
    assert_eq!(exit, 7);
    let empty = Service::configure("", "");
    let (exit, said) = empty.refused(&["service", "list"]);
    assert!(
        exit == 3
            && said["message"]
                .as_str()
                .unwrap()
                .contains("no backend is configured"),
        "{said}"
    );
    empty.json(&["driver", "remove", "posix", "--store", &store]);
    assert_eq!(
        empty.json(&["driver", "list", "--store", &store]),
        Value::Array(Vec::new())
    );
}

/// What `podman login` leaves.
fn log_in(service: &Service, host: &str, user: &str) -> std::path::PathBuf {
    let file = service.path("auth.json");
    let encoded = base64::engine::general_purpose::STANDARD.encode(user);
    let text = serde_json::json!({ "auths": { host: { "auth": encoded } } });
    std::fs::write(&file, text.to_string()).unwrap();
    file
}

#[test]
fn who_is_logged_in_to_a_registry_pushes_a_driver_there_and_adds_it_and_nobody_else() {
    let Some(registry) = Registry::start(18760, "author:nobody-may-see") else {
        return;
    };
    let service = Service::configure("", "");
    let (_, layout) = packed(&service);
    let (store, posix) = (text(&service.path("store")), text(&drivers().join("posix.wasm")));
    let (image, target) = (
        format!("{layout}:1.0"),
        format!("oci://{}/drivers/posix:1.0", registry.host()),
    );
    let run = |login: &std::path::Path, arguments: &[&str]| {
        let mut command = service.command(arguments);
        let output = command
            .arg("--json")
            .env("REGISTRY_AUTH_FILE", login)
            .output()
            .unwrap();
        let said = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
        (
            output.status.success(),
            said(&output.stdout),
            said(&output.stderr),
        )
    };
    let push = ["driver", "push", &image, &target];
    for login in [
        service.path("nowhere"),
        log_in(&service, registry.host(), "author:wrong-4711"),
    ] {
        let (done, _, error) = run(&login, &push);
        let error = error.to_string();
        assert!(
            !done && error.contains("podman login") && !error.contains("wrong-4711"),
            "{error}"
        );
    }
    let login = log_in(&service, registry.host(), "author:nobody-may-see");
    let (done, pushed, error) = run(&login, &push);
    assert!(done, "{error}");
    let reference = pushed["reference"].as_str().unwrap();
    let add = ["driver", "add", reference, "--store", &store];
    assert!(!run(&service.path("nowhere"), &add).0);
    let (done, added, error) = run(&login, &add);
    assert!(done && added["outcome"] == "added", "{error}");
    let (done, _, error) = run(&login, &["driver", "push", &posix, &target]);
    assert!(!done && error.to_string().contains("driver pack"), "{error}");
}
