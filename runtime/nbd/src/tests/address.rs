//! Addresses: what is read is written again, and what is not meant is refused.

use super::*;

#[test]
fn addresses_are_read_and_written_again() {
    for (text, again, export) in [
        (
            "nbd://example.com:10809/export",
            "nbd://example.com/export",
            "export",
        ),
        ("NBD://example.com/", "nbd://example.com/", ""),
        ("nbd://example.com", "nbd://example.com/", ""),
        ("nbd://example.com:", "nbd://example.com/", ""),
        ("nbd://example.com//disk", "nbd://example.com//disk", "/disk"),
        ("nbd://h/hello%20world", "nbd://h/hello%20world", "hello world"),
        ("nbd://h/a+b%2fc", "nbd://h/a%2Bb/c", "a+b/c"),
        ("nbd://10.0.0.1:1/%C3%A4", "nbd://10.0.0.1:1/%C3%A4", "ä"),
        ("nbd://[::1]:7777/x", "nbd://[::1]:7777/x", "x"),
        (
            "nbd+unix:///?socket=/run/nbd.sock",
            "nbd+unix:///?socket=/run/nbd.sock",
            "",
        ),
        (
            "nbd+unix:///volume%3F?socket=%2Frun%2Fa%20b%FF",
            "nbd+unix:///volume%3F?socket=/run/a%20b%FF",
            "volume?",
        ),
    ] {
        let address: Address = text.parse().unwrap();
        assert_eq!(address.to_string(), again);
        assert_eq!(address.export(), export, "{text}");
        assert_eq!(again.parse::<Address>().unwrap(), address, "{text}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_a_reason() {
    let long_name = format!("nbd://h/{}", "x".repeat(4097));
    let long_socket = format!("nbd+unix:///?socket=/{}", "x".repeat(107));
    let endless = format!("nbd://{}", "x".repeat(1 << 20));
    for (text, reason) in [
        ("nbds://h/x", "TLS"),
        ("nbds+unix:///x?socket=/s", "TLS"),
        ("", "neither"),
        ("/dev/sda", "neither"),
        ("nbd:unix:/s", "neither"),
        ("http://h/x", "scheme"),
        ("nbd:///x", "no host"),
        ("nbd://user@h/x", "user name"),
        ("nbd://h:0/x", "65535"),
        ("nbd://h:65536/x", "65535"),
        ("nbd://h:99999999999999999999/x", "65535"),
        ("nbd://h:+1/x", "not a number"),
        ("nbd://h:1:2/x", "not a number"),
        ("nbd://[::1/x", "bracket"),
        ("nbd://[h]/x", "IPv6"),
        ("nbd://[::1]x/x", "not a number"),
        ("nbd://h%41/x", "neither a name"),
        ("nbd://h/x?tls-type=psk", "parameters"),
        ("nbd://h/x#y", "fragment"),
        ("nbd://h/%", "percent"),
        ("nbd://h/%4", "percent"),
        ("nbd://h/%+1", "percent"),
        ("nbd://h/%zz", "percent"),
        ("nbd://h/%00", "NUL"),
        ("nbd://h/%ff", "UTF-8"),
        ("nbd://h/a b", "spaces"),
        ("nbd://h/a\u{1b}", "control"),
        ("nbd+unix:///x", "?socket="),
        ("nbd+unix:///x?socket=", "begin with /"),
        ("nbd+unix:///x?socket=s", "begin with /"),
        ("nbd+unix:///x?socket=%00/s", "NUL"),
        ("nbd+unix:///x?socket=/s&socket=/t", "more than one"),
        ("nbd+unix:///x?socket=/s&x-y=1", "not known"),
        ("nbd+unix://h/x?socket=/s", "names no host"),
        (&long_name, "4096"),
        (&long_socket, "107"),
        (&endless, "longer"),
    ] {
        let error = text.parse::<Address>().unwrap_err();
        assert_eq!(error.code(), "nbd-address");
        assert!(error.to_string().contains(reason), "{text}: {error}");
        assert!(error.to_string().len() < 1000, "{text}");
    }
}

#[test]
fn random_text_never_breaks_the_parser_and_what_parses_is_written_again() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let parts = [
        "nbd", "+unix", "://", "/", "%", "2F", "ä", "?", "socket=", "&", ":", "[", "]", "1", "h", "@", "\0",
    ];
    for _ in 0..20_000 {
        let start = ["nbd://h/", "nbd+unix:///?socket=/", ""][random.usize(..3)];
        let mut text = start.to_owned();
        for _ in 0..random.usize(..8) {
            text.push_str(parts[random.usize(..parts.len())]);
        }
        if let Ok(address) = text.parse::<Address>() {
            assert_eq!(address.to_string().parse::<Address>().unwrap(), address, "{text}");
        }
    }
}
