use super::*;
use crate::contract::{BodyNeeds, OptionInfo};

fn driver(kind: OptionKind, required: bool) -> DriverInfo {
    DriverInfo {
        name: "d".into(),
        version: "1".into(),
        vendor: "v".into(),
        description: String::new(),
        options: vec![OptionInfo {
            name: "o".into(),
            kind,
            required,
            default: None,
            description: String::new(),
        }],
        needs: BodyNeeds::empty(),
        greatest_object: None,
        wants_http: false,
    }
}

fn settings(name: &str, value: SettingValue) -> BTreeMap<String, Written> {
    BTreeMap::from([(name.to_owned(), value.into())])
}

fn text(value: &str) -> SettingValue {
    SettingValue::Text(value.into())
}

#[test]
fn an_unknown_setting_is_refused_with_the_valid_names() {
    let error = provide(
        &driver(OptionKind::Text, false),
        &settings("x", text("")),
        &Grants::default(),
    )
    .unwrap_err();
    assert_eq!(error.code(), "driver.invalid-configuration");
    assert!(error.to_string().contains("it takes o"), "{error}");
}

#[test]
fn a_required_setting_must_be_there() {
    let error = provide(
        &driver(OptionKind::Text, true),
        &BTreeMap::new(),
        &Grants::default(),
    )
    .unwrap_err();
    assert!(error.to_string().contains("required"), "{error}");
}

#[test]
fn sizes_and_durations_reach_the_driver_as_integers() {
    let given = provide(
        &driver(OptionKind::Size, false),
        &settings("o", text("64MiB")),
        &Grants::default(),
    )
    .unwrap();
    assert_eq!(
        given.settings.first().unwrap().value,
        SettingValue::Integer(64 << 20)
    );
    let given = provide(
        &driver(OptionKind::Duration, false),
        &settings("o", text("1m 30s")),
        &Grants::default(),
    );
    assert_eq!(
        given.unwrap().settings.first().unwrap().value,
        SettingValue::Integer(90_000)
    );
    let wrong = provide(
        &driver(OptionKind::Size, false),
        &settings("o", text("much")),
        &Grants::default(),
    );
    assert!(wrong.unwrap_err().to_string().contains("\"much\" is not a size"));
}

#[test]
fn only_the_named_directory_is_given_and_only_when_granted() {
    let grant = |path: &str, write| Grants {
        directories: vec![DirectoryGrant {
            path: path.into(),
            write,
        }],
        ..Grants::default()
    };
    let driver = driver(OptionKind::Directory, true);
    let given = provide(&driver, &settings("o", text("/srv/a/b")), &grant("/srv/a", true)).unwrap();
    assert_eq!(
        given.directories,
        vec![DirectoryGrant {
            path: "/srv/a/b".into(),
            write: true
        }]
    );
    for (path, grants) in [
        ("/srv/a", Grants::default()),
        ("/srv/a", grant("/srv/a", false)),
        ("/srv/ab", grant("/srv/a", true)),
        ("/srv", grant("/srv/a", true)),
    ] {
        let error = provide(&driver, &settings("o", text(path)), &grants).unwrap_err();
        assert_eq!(error.code(), "denied", "{path}");
        assert!(
            error.remedy().contains("directories = [{ path ="),
            "{}",
            error.remedy()
        );
    }
    for path in ["srv/a", "/srv/a/../b", "/srv/./a", ""] {
        let error = provide(&driver, &settings("o", text(path)), &grant("/srv", true)).unwrap_err();
        assert_eq!(error.code(), "driver.invalid-configuration", "{path}");
    }
}

#[test]
fn a_secret_reaches_the_driver_as_its_name_and_is_never_shown() {
    let secret = driver(OptionKind::Secret, true);
    let given = provide(&secret, &settings("o", text("hunter22")), &Grants::default()).unwrap();
    assert_eq!(given.settings.first().unwrap().value, text("o"));
    assert_eq!(
        given.secrets.get("o").unwrap().source().to_string(),
        "the configuration"
    );
    assert!(!format!("{given:?}").contains("hunter22"));
    let file = BTreeMap::from([("o".to_owned(), Written::Kept(Source::File("/k".into())))]);
    assert_eq!(
        provide(&secret, &file, &Grants::default()).unwrap().secrets.len(),
        1
    );
    assert!(!format!("{:?}", settings("o", text("hunter22"))).contains("hunter22"));
    for wrong in [SettingValue::Integer(4711), text("")] {
        let error = provide(&secret, &settings("o", wrong), &Grants::default()).unwrap_err();
        assert!(!error.to_string().contains("4711"), "{error}");
    }
    let plain = driver(OptionKind::Text, false);
    assert!(provide(&plain, &file, &Grants::default()).is_err());
}

#[test]
fn a_value_is_revealed_only_of_a_secret_that_the_driver_has() {
    let reveal = Grants {
        reveal: vec!["o".into()],
        ..Grants::default()
    };
    let given = provide(&driver(OptionKind::Secret, false), &BTreeMap::new(), &reveal).unwrap();
    assert!(given.reveal.contains("o"));
    assert!(provide(&driver(OptionKind::Text, false), &BTreeMap::new(), &reveal).is_err());
}

#[test]
fn a_url_must_lie_in_a_granted_origin() {
    let url = DriverInfo {
        wants_http: true,
        ..driver(OptionKind::Url, true)
    };
    let grants = Grants {
        http: vec!["http://127.0.0.1:8080".parse().unwrap()],
        ..Grants::default()
    };
    provide(
        &url,
        &settings("o", text("http://127.0.0.1:8080/auth/v1.0")),
        &grants,
    )
    .unwrap();
    let error = provide(&url, &settings("o", text("http://127.0.0.1:8081/x")), &grants).unwrap_err();
    assert_eq!(error.code(), "denied");
    assert!(
        error.remedy().contains("http = [\"http://127.0.0.1:8081\"]"),
        "{}",
        error.remedy()
    );
    assert!(error.to_string().contains("(option o)"), "{error}");
    for wrong in ["", "h", "http://u:hunter22@h/"] {
        let error = provide(&url, &settings("o", text(wrong)), &grants).unwrap_err();
        assert_eq!(error.code(), "driver.invalid-configuration", "{wrong}");
        assert!(!error.to_string().contains("hunter22"), "{error}");
    }
}

#[test]
fn tls_and_proxies_are_set_on_the_hosts_side() {
    let truth = |kind, truth| {
        let given = provide(
            &driver(kind, false),
            &settings("o", SettingValue::Boolean(truth)),
            &Grants::default(),
        );
        given.unwrap().tls.verify
    };
    assert!(truth(OptionKind::TlsVerify, true) && truth(OptionKind::TlsInsecure, false));
    assert!(!truth(OptionKind::TlsVerify, false) && !truth(OptionKind::TlsInsecure, true));
    let proxy = driver(OptionKind::HttpsProxy, false);
    let given = provide(
        &proxy,
        &settings("o", text("http://proxy:3128")),
        &Grants::default(),
    )
    .unwrap();
    assert_eq!(given.proxies.https.unwrap().to_string(), "http://proxy:3128");
    assert!(
        provide(
            &proxy,
            &settings("o", text("https://proxy:3128")),
            &Grants::default()
        )
        .is_err()
    );
}
