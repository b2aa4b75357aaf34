use cofferdam_driver::{Setting, SettingValue};

use super::*;

fn text(text: &str) -> SettingValue {
    SettingValue::Text(text.to_owned())
}

fn config(changes: &[(&str, Option<SettingValue>)]) -> Result<Config, Error> {
    let mut settings = vec![
        (ENDPOINT_URL, text("http://s3.example.org:8080")),
        (ACCESS_KEY, text("AKIAIOSFODNN7EXAMPLE")),
        (SECRET_KEY, text(SECRET_KEY)),
    ];
    for (name, value) in changes {
        settings.retain(|(set, _)| set != name);
        settings.extend(value.clone().map(|value| (*name, value)));
    }
    let setting = |(name, value): (&str, SettingValue)| Setting {
        name: name.to_owned(),
        value,
    };
    Config::from_settings(&Settings::new(settings.into_iter().map(setting).collect()))
}

fn refused(changes: &[(&str, Option<SettingValue>)]) -> String {
    match config(changes).unwrap_err() {
        Error::InvalidConfiguration(invalid) => invalid.option_name,
        other => panic!("{other:?}"),
    }
}

#[test]
fn three_options_are_enough_and_the_rest_is_as_cinder_has_it() {
    let config = config(&[]).unwrap();
    assert_eq!(config.bucket, "volumebackups");
    assert_eq!(config.client.region, "us-east-1");
    assert_eq!(config.client.addressing, Addressing::Path);
    assert_eq!(config.client.timeouts.connect, Some(Duration::from_secs(60)));
    assert!(config.md5_validation);
    assert_eq!(
        (config.checksum, config.encryption),
        (Checksum::None, Encryption::Default)
    );
    assert_eq!(
        (config.multipart_threshold, config.part_size),
        (128 << 20, 64 << 20)
    );
}

#[test]
fn a_required_option_that_is_missing_or_empty_is_named() {
    for name in [ENDPOINT_URL, ACCESS_KEY, SECRET_KEY] {
        assert_eq!(refused(&[(name, None)]), name);
        assert_eq!(refused(&[(name, Some(text("")))]), name);
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_named_whatever_the_option() {
    // What the host alone uses, it alone checks.
    let hosts = [VERIFY_SSL, CA_CERT_FILE, HTTP_PROXY, HTTPS_PROXY];
    for option in all()
        .iter()
        .filter(|option| !hosts.contains(&option.name.as_str()))
    {
        let wrong = match option.kind {
            cofferdam_driver::OptionKind::Boolean => SettingValue::Integer(1),
            _ => SettingValue::Boolean(true),
        };
        assert_eq!(refused(&[(option.name.as_str(), Some(wrong))]), option.name);
    }
}

#[test]
fn a_value_out_of_range_is_named() {
    for (name, value) in [
        (ENDPOINT_URL, text("s3.example.org")),
        (ENDPOINT_URL, text("http://user:pass@h")),
        (ENDPOINT_URL, text("http://h/?x")),
        (ACCESS_KEY, text("a b")),
        (ACCESS_KEY, text("a/b")),
        (BUCKET, text("no")),
        (BUCKET, text("../../etc")),
        (REGION, text("")),
        (REGION, text("eu/west")),
        (ADDRESSING_STYLE, text("Path")),
        (CHECKSUM_MODE, text("md5")),
        (SERVER_SIDE_ENCRYPTION, text("AES128")),
        (RETRY_MODE, text("often")),
        (MAX_POOL_CONNECTIONS, SettingValue::Integer(0)),
        (RETRY_MAX_ATTEMPTS, SettingValue::Integer(-1)),
        (TIMEOUT, SettingValue::Integer(0)),
        (TIMEOUT, SettingValue::Integer(3_600_001)),
        (MULTIPART_THRESHOLD, SettingValue::Integer(0)),
        (MULTIPART_THRESHOLD, SettingValue::Integer((5 << 30) + 1)),
        (PART_SIZE, SettingValue::Integer((5 << 20) - 1)),
        (PART_SIZE, SettingValue::Integer(i64::MAX)),
    ] {
        let shown = format!("{name}: {value:?}");
        assert_eq!(refused(&[(name, Some(value))]), name, "{shown}");
    }
}

#[test]
fn half_an_encryption_is_refused_by_the_half_that_is_missing() {
    let (key, aes) = (Some(text(CUSTOMER_KEY)), Some(text("AES256")));
    assert_eq!(refused(&[(CUSTOMER_KEY, key.clone())]), CUSTOMER_ALGORITHM);
    assert_eq!(refused(&[(CUSTOMER_ALGORITHM, aes.clone())]), CUSTOMER_KEY);
    let des = Some(text("DES"));
    assert_eq!(
        refused(&[(CUSTOMER_KEY, key.clone()), (CUSTOMER_ALGORITHM, des)]),
        CUSTOMER_ALGORITHM
    );
    let both = [(CUSTOMER_KEY, key.clone()), (CUSTOMER_ALGORITHM, aes.clone())];
    assert!(matches!(
        config(&both).unwrap().encryption,
        Encryption::Customer(_)
    ));
    let all_three = [
        (CUSTOMER_KEY, key),
        (CUSTOMER_ALGORITHM, aes),
        (SERVER_SIDE_ENCRYPTION, Some(text("aws:kms"))),
    ];
    assert_eq!(refused(&all_three), SERVER_SIDE_ENCRYPTION);
}

#[test]
fn a_bucket_in_the_hosts_name_needs_a_host_with_a_name() {
    let style = Some(text("virtual"));
    config(&[(ADDRESSING_STYLE, style.clone())]).unwrap();
    for endpoint in ["http://127.0.0.1:9000", "http://[::1]:9000", "https://10.0.0.1"] {
        let changes = [
            (ADDRESSING_STYLE, style.clone()),
            (ENDPOINT_URL, Some(text(endpoint))),
        ];
        assert_eq!(refused(&changes), ADDRESSING_STYLE);
    }
    assert_eq!(
        refused(&[(ADDRESSING_STYLE, style), (BUCKET, Some(text("My_Bucket")))]),
        BUCKET
    );
}
