//! What a configuration may say, and the words with which it is refused.

use super::*;

fn read(text: &str) -> Result<Config, String> {
    parse(Path::new("/c/x.toml"), text).map_err(|error| error.to_string())
}

fn refused(text: &str, place: &str, words: &[&str]) {
    let error = read(text).unwrap_err();
    assert!(error.starts_with(&format!("/c/x.toml:{place}")), "{error}");
    for word in words {
        assert!(error.contains(word), "{word} is missing in: {error}");
    }
}

const BACKEND: &str = "[backends.a]\nbackup_driver = \"posix\"\n";

#[test]
fn the_defaults_in_the_table_are_values_of_their_kind() {
    for option in OPTIONS {
        if option.default.is_some() {
            assert!(value::default(option.name).is_some(), "{}", option.name);
        }
    }
}

#[test]
fn values_come_from_the_backend_then_the_top_then_the_table() {
    let config = read(&format!(
        "periodic_interval = \"5s\"\nfailure_threshold = 7\n{BACKEND}failure_threshold = 2\nbackup_posix_path = \"/x\"\n"
    ))
    .unwrap();
    let backend = config.backends.first().unwrap();
    let shown = |name| config.backend_value(backend, name).unwrap();
    assert_eq!(shown("failure_threshold").data, Data::Integer(2));
    assert_eq!(shown("failure_threshold").origin, Origin { line: 5, column: 1 });
    assert_eq!(
        shown("periodic_interval").data,
        Data::Duration(std::time::Duration::from_secs(5))
    );
    assert_eq!(shown("report_interval").origin, Origin::default());
    assert_eq!(backend.settings.keys().collect::<Vec<_>>(), ["backup_posix_path"]);
}

#[test]
fn a_wrong_key_is_refused_with_its_place_and_the_valid_ones() {
    refused(
        "x = 1\n",
        "1:1",
        &["unknown option \"x\"", "periodic_interval", "[backends.NAME]"],
    );
    refused(
        "\n  periodic_intervall = 1\n",
        "2:3",
        &["did you mean periodic_interval?"],
    );
    refused(
        &format!("{BACKEND}state_path = \"/x\"\n"),
        "3:1",
        &["belongs at the top"],
    );
    refused(
        "backup_driver = \"posix\"\n",
        "1:1",
        &["belongs in a [backends.NAME] section"],
    );
    refused(
        &format!("{BACKEND}grants.network = 1\n"),
        "3:8",
        &["unknown grant", "directories"],
    );
}

#[test]
fn a_wrong_value_is_refused_with_its_place_and_what_is_right() {
    refused(
        "backup_initialization_timeout = 0\n",
        "1:33",
        &["= 0 is not a duration", "from 10ms"],
    );
    refused(
        "periodic_interval = \"soon\"\n",
        "1:21",
        &["\"soon\" is not a duration such as \"30s\""],
    );
    refused(
        "failure_threshold = \"3\"\n",
        "1:21",
        &["is not a whole number from 1 to 1000"],
    );
    refused(
        "backup_compression_algorithm = \"lz4\"\n",
        "1:32",
        &["one of none, off, no, zlib"],
    );
    refused(
        "failure_threshold = 3\nfailure_threshold = 4\n",
        "2:1",
        &["this is not TOML"],
    );
    refused(
        &format!("{BACKEND}grants.directories = [{{ path = \"srv\" }}]\n"),
        "3:32",
        &["absolute path"],
    );
    refused(
        "service_down_time = \"5s\"\n[backends.a]\nbackup_driver = \"p\"\n",
        "1:1",
        &["greater than report_interval"],
    );
}

#[test]
fn a_backend_without_driver_is_refused_and_whether_there_must_be_one_is_for_the_command_to_say() {
    assert!(read("").unwrap().backends.is_empty());
    refused("[backends.a]\n", "1:11", &["has no backup_driver"]);
    refused(
        "[backends.\"a b\"]\nbackup_driver = \"p\"\n",
        "1:11",
        &["use 1 to 64 letters"],
    );
}

#[test]
fn grants_of_the_network_are_read_and_wrong_ones_are_named() {
    let config = read(&format!(
        "{BACKEND}grants.http = [\"https://S3.example.com:443\", \"http://127.0.0.1:8080\"]\n\
         grants.networks = [\"10.0.0.0/8\"]\ngrants.tcp = [\"192.0.2.7:2049\"]\ngrants.reveal = [\"k\"]\n"
    ))
    .unwrap();
    let grants = &config.backends.first().unwrap().grants;
    let origins: Vec<String> = grants.http.iter().map(ToString::to_string).collect();
    assert_eq!(origins, ["https://s3.example.com", "http://127.0.0.1:8080"]);
    assert_eq!(
        (grants.networks.len(), grants.tcp.len(), grants.reveal.len()),
        (1, 1, 1)
    );
    for (line, words) in [
        ("grants.http = \"https://h\"", "must be a list such as"),
        ("grants.http = [\"https://user:hunter22@h\"]", "user or password"),
        ("grants.http = [\"https://h/path\"]", "leave out"),
        ("grants.http = [\"http://169.254.169.254\"]", "never granted"),
        ("grants.networks = [\"10.0.0.1/8\"]", "10.0.0.0/8"),
        ("grants.tcp = [\"nfs.example.com:2049\"]", "no address and port"),
        (
            "grants.udp = []",
            "valid here: directories, http, networks, tcp, reveal",
        ),
    ] {
        refused(&format!("{BACKEND}{line}\n"), "3:", &[words]);
        assert!(
            !read(&format!("{BACKEND}{line}\n"))
                .unwrap_err()
                .contains("hunter22")
        );
    }
}

#[test]
fn a_secret_says_where_it_is_kept_and_is_shown_nowhere() {
    for (value, place) in [
        ("{ file = \"key\" }", "file /c/key"),
        ("{ env = \"KEY\" }", "environment KEY"),
        ("{ command = [\"pass\", \"show\", \"hunter22\"] }", "command pass"),
        ("{ credential = \"s3\" }", "credential s3"),
    ] {
        let config = read(&format!("{BACKEND}k = {value}\n")).unwrap();
        let (kept, _) = config.backends.first().unwrap().settings.get("k").unwrap();
        assert!(
            matches!(kept, Written::Kept(source) if source.to_string() == place),
            "{kept:?}"
        );
    }
    let config = read(&format!("{BACKEND}k = \"hunter22\"\n")).unwrap();
    assert!(!format!("{config:?}").contains("hunter22"));
    for wrong in [
        "{ file = \"a\", env = \"B\" }",
        "{ path = \"a\" }",
        "{ command = \"pass\" }",
        "{ command = [] }",
        "{ credential = \"../x\" }",
        "{ file = \"\" }",
        "[\"hunter22\"]",
        "1.5",
    ] {
        let error = read(&format!("{BACKEND}k = {wrong}\n")).unwrap_err();
        assert!(
            error.contains("{ file =") && !error.contains("hunter22"),
            "{error}"
        );
    }
}
