use super::*;
use cofferdam_driver::{Setting, SettingValue};

const TEMPAUTH: &[(&str, &str)] = &[
    ("backup_swift_auth_url", "http://swift:8080/auth/v1.0"),
    ("backup_swift_user", "test:tester"),
    ("backup_swift_key", "backup_swift_key"),
];
const KEYSTONE: &[(&str, &str)] = &[
    ("backup_swift_auth_url", "http://keystone:5000"),
    ("backup_swift_auth_version", "3"),
    ("backup_swift_user", "backup"),
    ("backup_swift_key", "backup_swift_key"),
    ("backup_swift_project", "backups"),
];
const APPLICATION: &[(&str, &str)] = &[
    ("backup_swift_auth_url", "http://keystone:5000/v3"),
    ("backup_swift_application_credential_id", "1234"),
    (
        "backup_swift_application_credential_secret",
        "backup_swift_application_credential_secret",
    ),
];

/// The settings, with `changes` put in place of or beside them; an empty value takes one away.
fn config(base: &[(&str, &str)], changes: &[(&str, &str)]) -> Result<Config, Error> {
    let mut all = base.to_vec();
    all.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    all.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    let setting = |&(name, value): &(&str, &str)| Setting {
        name: name.to_owned(),
        value: match (value.parse(), value) {
            (Ok(number), _) if name != options::APPLICATION_ID => SettingValue::Integer(number),
            (_, "true" | "false") => SettingValue::Boolean(value == "true"),
            _ => SettingValue::Text(value.to_owned()),
        },
    };
    Config::from_settings(&Settings::new(all.iter().map(setting).collect()))
}

fn refused(base: &[(&str, &str)], changes: &[(&str, &str)], option: &str) {
    match config(base, changes) {
        Err(Error::InvalidConfiguration(invalid)) => assert_eq!(invalid.option_name, option, "{changes:?}"),
        other => panic!("{changes:?}: {other:?}"),
    }
}

#[test]
fn swifts_own_auth_is_the_default_as_in_cinder() {
    let config = config(TEMPAUTH, &[]).unwrap();
    assert_eq!(config.identity.url.path(), "/auth/v1.0");
    assert!(matches!(&config.identity.credentials, Credentials::V1 { user, .. } if user == "test:tester"));
    assert_eq!(config.container, "volumebackups");
    assert_eq!(config.service, None);
    assert_eq!(config.timeouts.connect, Some(Duration::from_secs(60)));
}

#[test]
fn keystones_url_gets_its_version() {
    let path = |version, url| {
        let changes = [
            ("backup_swift_auth_version", version),
            ("backup_swift_auth_url", url),
        ];
        config(KEYSTONE, &changes).unwrap().identity.url.path().to_owned()
    };
    assert_eq!(path("3", "http://k:5000"), "/v3");
    assert_eq!(path("3", "http://k/identity/"), "/identity/v3");
    assert_eq!(path("3", "http://k/identity/v3/"), "/identity/v3/");
    assert_eq!(path("2", "http://k:5000"), "/v2.0");
    assert_eq!(path("2", "http://k:5000/v2.0"), "/v2.0");
}

#[test]
fn an_application_credential_is_enough() {
    let config = config(APPLICATION, &[]).unwrap();
    assert!(
        matches!(config.identity.credentials, Credentials::Keystone(Keystone::Application { id, .. }) if id == "1234")
    );
}

#[test]
fn a_tenant_is_a_project() {
    let changes = [("backup_swift_project", ""), ("backup_swift_tenant", "backups")];
    let config = config(KEYSTONE, &changes).unwrap();
    assert!(
        matches!(config.identity.credentials, Credentials::Keystone(Keystone::Password { project, .. }) if project == "backups")
    );
    refused(KEYSTONE, &[("backup_swift_tenant", "other")], options::TENANT);
}

#[test]
fn a_service_user_logs_in_at_the_same_place() {
    let changes = [
        ("backup_swift_service_auth", "true"),
        ("backup_swift_service_user", "cinder"),
        ("backup_swift_service_key", "backup_swift_service_key"),
        ("backup_swift_service_project", "service"),
    ];
    let found = config(KEYSTONE, &changes).unwrap();
    let service = found.service.unwrap();
    assert_eq!(service.url, found.identity.url);
    assert!(
        matches!(&service.credentials, Credentials::Keystone(Keystone::Password { user, key, .. })
        if user == "cinder" && key.name() == options::SERVICE_KEY)
    );
    // A tenant of the user is none of the service user.
    config(
        KEYSTONE,
        &[&changes[..], &[("backup_swift_tenant", "backups")]].concat(),
    )
    .unwrap();
    for name in [
        options::SERVICE_USER,
        options::SERVICE_KEY,
        options::SERVICE_PROJECT,
    ] {
        refused(
            KEYSTONE,
            &[&changes.map(|(n, v)| (n, if n == name { "" } else { v }))[..]].concat(),
            name,
        );
    }
}

#[test]
fn what_is_missing_is_named() {
    for name in [options::AUTH_URL, options::USER, options::KEY] {
        refused(TEMPAUTH, &[(name, "")], name);
    }
    for name in [options::USER, options::KEY, options::PROJECT] {
        refused(KEYSTONE, &[(name, "")], name);
        refused(KEYSTONE, &[(name, ""), (options::AUTH_VERSION, "2")], name);
    }
    for name in [options::APPLICATION_ID, options::APPLICATION_SECRET] {
        refused(APPLICATION, &[(name, "")], name);
    }
}

#[test]
fn what_is_contradictory_is_named() {
    for name in [
        options::PROJECT,
        options::TENANT,
        options::USER_DOMAIN,
        options::PROJECT_DOMAIN,
        options::REGION,
    ] {
        refused(TEMPAUTH, &[(name, "x")], name);
    }
    for name in [
        options::USER,
        options::KEY,
        options::PROJECT,
        options::TENANT,
        options::USER_DOMAIN,
    ] {
        refused(APPLICATION, &[(name, "x")], name);
    }
    refused(
        APPLICATION,
        &[(options::AUTH_VERSION, "1")],
        options::AUTH_VERSION,
    );
    refused(
        KEYSTONE,
        &[(options::AUTH_URL, "http://k/v2.0")],
        options::AUTH_VERSION,
    );
    refused(
        TEMPAUTH,
        &[(options::AUTH_URL, "http://k/v3")],
        options::AUTH_VERSION,
    );
    let v2 = (options::AUTH_VERSION, "2");
    refused(KEYSTONE, &[v2, (options::USER_DOMAIN, "x")], options::USER_DOMAIN);
    refused(TEMPAUTH, &[(options::URL, "http://s/v1/AUTH_")], options::URL);
}

#[test]
fn what_is_ill_formed_is_named() {
    for (name, value) in [
        (options::AUTH, "per_user"),
        (options::AUTH, "both"),
        (options::AUTH_VERSION, "4"),
        (options::AUTH_VERSION, "0"),
        (options::AUTH_VERSION, "three"),
        (options::AUTH_URL, "keystone:5000"),
        (options::URL, "http://swift:8080"),
        (options::URL, "http://swift:8080/v1/AUTH_a?x"),
        (options::CATALOG_INFO, "object-store"),
        (options::CATALOG_INFO, "object-store:swift:secretURL"),
        (options::CATALOG_INFO, ":swift:publicURL"),
        (options::CONTAINER, "a/b"),
        (options::CONTAINER, ".."),
        (options::STORAGE_POLICY, "a\nb"),
        (options::USER, "a\r\nX-Admin: yes"),
        (options::OBJECT_SIZE, "32769"),
        (options::OBJECT_SIZE, "6442450944"),
        (options::BLOCK_SIZE, "0"),
        (options::TIMEOUT, "0"),
        (options::SERVICE_AUTH, "3"),
    ] {
        refused(KEYSTONE, &[(name, value)], name);
    }
    config(KEYSTONE, &[(options::AUTH, "single_user")]).unwrap();
    config(KEYSTONE, &[(options::URL, "http://swift:8080/v1/AUTH_")]).unwrap();
}
