use super::*;

fn policy(http: &[&str], networks: &[&str]) -> Policy {
    Policy {
        http: http.iter().map(|text| text.parse().unwrap()).collect(),
        networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
        tcp: vec!["192.0.2.7:2049".parse().unwrap()],
        wants_http: true,
    }
}

fn admit(policy: &Policy, text: &str) -> Result<Target, String> {
    let uri: http::Uri = text.parse().map_err(|_| "no URI".to_owned())?;
    policy.admit(&uri).map_err(|denial| denial.wanted)
}

#[test]
fn a_request_goes_to_granted_origins_and_nowhere_else() {
    let policy = policy(
        &[
            "https://s3.example.com",
            "https://*.s3.example.com",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "http://localhost:9000",
            "https://keystone.example.com:5000",
        ],
        &[],
    );
    for good in [
        "https://s3.example.com/",
        "https://s3.example.com/a?b=http://evil.example/",
        "https://S3.EXAMPLE.com:443/x",
        "HTTPS://s3.example.com",
        "https://bucket.s3.example.com/key",
        "https://a.b.s3.example.com/key",
        "http://127.0.0.1:8080/x",
        "http://[::ffff:127.0.0.1]:8080/x",
        "http://[::1]:8080/",
        "http://[0:0:0:0:0:0:0:1]:8080/",
        "http://localhost:9000/",
        "https://keystone.example.com:5000/v3",
    ] {
        assert!(admit(&policy, good).is_ok(), "{good}: {:?}", admit(&policy, good));
    }
    for (bad, why) in [
        ("http://s3.example.com/", "http://s3.example.com"),
        ("https://s3.example.com:8443/", ":8443"),
        ("https://example.com/", "example.com"),
        ("https://evil.example/", "evil.example"),
        ("https://evils3.example.com/", "evils3"),
        ("https://s3.example.com.evil.example/", "evil"),
        ("https://bucket.s3.example.com:444/", ":444"),
        ("https://.s3.example.com/", "malformed"),
        ("https://s3.example.com./", "dot"),
        ("https://user@s3.example.com/", "user or password"),
        ("https://user:hunter22@s3.example.com/", "user or password"),
        ("https://s3.example.com@evil.example/", "user or password"),
        ("https://s3.example.com:443@evil.example/", "user or password"),
        ("https://s3.example.com%40evil.example/", "no URI"),
        ("https://s3.example.com%00.evil.example/", "no URI"),
        ("https://s3%2eexample.com/", "no URI"),
        ("https://s3.example.com:0/", "port"),
        ("https://s3.example.com:/", "port"),
        ("http://127.0.0.1/", "http://127.0.0.1"),
        ("http://127.0.0.1:0/", "port"),
        ("http://127.0.0.2:8080/", "127.0.0.2"),
        ("http://2130706433:8080/", "number"),
        ("http://0x7f000001:8080/", "number"),
        ("http://0x7f.0.0.1:8080/", "number"),
        ("http://0177.0.0.1:8080/", "number"),
        ("http://127.0.0.01:8080/", "number"),
        ("http://127.1:8080/", "number"),
        ("http://127.0.0.1.:8080/", "dot"),
        ("http://127.0.0.0x1:8080/", "number"),
        ("http://0:8080/", "number"),
        ("http://0.0.0.0:8080/", "no address"),
        ("http://[::]:8080/", "no address"),
        ("http://[::1%25lo]:8080/", "IPv6"),
        ("http://[::1]/", "[::1]"),
        ("http://[::1]:8080@evil.example/", "user or password"),
        ("http://localhost:9001/", ":9001"),
        ("http://localhost.:9000/", "dot"),
        ("http://sub.localhost:9000/", "sub.localhost"),
        ("http://169.254.169.254/latest/meta-data/", "link-local"),
        ("http://[::ffff:169.254.169.254]/", "link-local"),
        ("http://[::ffff:a9fe:a9fe]/", "link-local"),
        ("http://[fd00:ec2::254]/", "metadata"),
        ("http://[fe80::1]/", "link-local"),
        ("http://100.100.100.200/", "metadata"),
        ("http://255.255.255.255/", "broadcast"),
        ("http://224.0.0.1/", "multicast"),
        ("ftp://s3.example.com/", "scheme"),
        ("ws://s3.example.com/", "scheme"),
        ("/only/a/path", "scheme"),
        ("*", "scheme"),
        ("s3.example.com:443", "scheme"),
        ("https://keystone.example.com/", "keystone"),
        ("https://xn--s3-example-com.example/", "xn--"),
    ] {
        let reason = admit(&policy, bad).expect_err(bad);
        assert!(reason.contains(why), "{bad}: {reason}");
        assert!(!reason.contains("hunter22"), "{reason}");
    }
}

#[test]
fn a_denial_names_the_line_that_would_allow_it() {
    let none = policy(&[], &[]);
    let denial = none
        .admit(&"https://s3.example.com:8443/x".parse().unwrap())
        .unwrap_err();
    assert_eq!(
        denial.grant,
        "http = [\"https://s3.example.com:8443\"] to the backend's grants"
    );
    let silent = Policy {
        wants_http: false,
        ..policy(&["https://s3.example.com"], &[])
    };
    assert_eq!(
        silent
            .admit(&"https://s3.example.com/".parse().unwrap())
            .unwrap_err()
            .grant,
        ""
    );
}

#[test]
fn each_address_of_a_granted_host_is_judged_by_itself() {
    let plain = policy(&[], &[]);
    let wide = policy(&[], &["10.0.0.0/8", "127.0.0.0/8", "0.0.0.0/0", "::/0"]);
    let at = |policy: &Policy, url: &str, address: &str, own| {
        policy.admit_address(&Target::of_url(url).unwrap(), address.parse().unwrap(), own)
    };
    let name = "https://s3.example.com";
    for (url, address, own, by_name, by_network) in [
        (name, "93.184.216.34", false, true, true),
        (name, "93.184.216.34", true, false, true),
        (name, "2606:4700::1111", false, true, true),
        (name, "10.0.0.5", false, false, true),
        (name, "127.0.0.1", false, false, true),
        (name, "::1", false, false, true),
        (name, "::ffff:127.0.0.1", false, false, true),
        (name, "64:ff9b::a00:5", false, false, true),
        (name, "2002:a00:5::1", false, false, true),
        (name, "192.168.1.1", false, false, true),
        (name, "169.254.169.254", false, false, false),
        (name, "::ffff:169.254.169.254", false, false, false),
        (name, "100.100.100.200", false, false, false),
        (name, "fd00:ec2::254", false, false, false),
        (name, "fe80::1", false, false, false),
        (name, "0.0.0.0", false, false, false),
        (name, "224.0.0.1", false, false, false),
        ("http://localhost:1", "127.0.0.1", false, true, true),
        ("http://localhost:1", "::1", false, true, true),
        ("http://localhost:1", "10.0.0.5", false, false, true),
        ("http://localhost:1", "169.254.169.254", false, false, false),
        ("http://10.0.0.5:1", "10.0.0.5", false, true, true),
        ("http://10.0.0.5:1", "10.0.0.6", false, false, true),
        ("http://[::ffff:10.0.0.5]:1", "10.0.0.5", false, true, true),
        ("http://127.0.0.1:1", "127.0.0.1", true, true, true),
    ] {
        assert_eq!(
            at(&plain, url, address, own).is_ok(),
            by_name,
            "{url} at {address}"
        );
        assert_eq!(
            at(&wide, url, address, own).is_ok(),
            by_network,
            "{url} at {address}, networks"
        );
    }
    let denial = at(&plain, name, "::ffff:10.0.0.5", false).unwrap_err();
    assert_eq!(denial.grant, "networks = [\"10.0.0.5\"] to the backend's grants");
}

#[test]
fn raw_tcp_goes_to_the_very_address_and_port() {
    let policy = policy(&["http://127.0.0.1:8080"], &["127.0.0.0/8"]);
    for (address, good) in [
        ("192.0.2.7:2049", true),
        ("[::ffff:192.0.2.7]:2049", true),
        ("192.0.2.7:2050", false),
        ("192.0.2.8:2049", false),
        ("192.0.2.7:0", false),
        ("127.0.0.1:8080", false),
        ("169.254.169.254:80", false),
    ] {
        assert_eq!(
            policy.admit_tcp(address.parse().unwrap()).is_ok(),
            good,
            "{address}"
        );
    }
}
