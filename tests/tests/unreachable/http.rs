//! Single requests to the real Swift, as its deployer makes them.

use std::io::{Read, Write};
use std::net::TcpStream;

/// Sends a request without a body; the answer's head. It must be a success.
pub(crate) fn ask(method: &str, url: &str, headers: &[(&str, &str)]) -> String {
    let (authority, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let mut stream = TcpStream::connect(authority).unwrap();
    let request = format!(
        "{method} /{path} HTTP/1.1\r\nhost: {authority}\r\ncontent-length: 0\r\nconnection: close\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 2"), "{method} {url}: {answer}");
    answer
}

/// The value of a header in an answer's head.
pub(crate) fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    let mut lines = answer.lines().filter_map(|line| line.split_once(": "));
    let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name));
    found.expect("the header is there").1
}
