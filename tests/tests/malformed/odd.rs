//! Texts, values, paths and queries that do not belong where they are put.

use fastrand::Rng;
use serde_json::{Value, json};

/// Texts that mean something to somebody.
const TEXTS: &[&str] = &[
    "",
    "../../../../etc/passwd",
    "..",
    "/etc/shadow",
    "a/../../b",
    "'; DROP TABLE backups; --",
    "' OR '1'='1",
    "%00",
    "\u{0}",
    "\u{202e}\u{feff}\u{1f4a5}",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "-1",
    "NaN",
    "1e400",
    "99999999999999999999999999",
    "true",
    "null",
    "\r\nx-injected: 1",
    "created_at; SELECT",
    "gt:9999-99-99T99:99:99",
];

pub(crate) fn text(chance: &mut Rng) -> &'static str {
    TEXTS[chance.usize(..TEXTS.len())]
}

/// A value that belongs nowhere; the text `HUGE` stands for a number that JSON has and Rust has not.
pub(crate) fn odd_value(chance: &mut Rng) -> Value {
    match chance.u8(..12) {
        0 => Value::Null,
        1 => json!(chance.bool()),
        2 => json!(chance.i64(..)),
        3 => json!(-1),
        4 => Value::from("HUGE"),
        5 => json!([]),
        6 => json!({}),
        7 => json!({"a": {"b": [null, {"c": 1.5}]}}),
        8 => Value::from("x".repeat(chance.usize(250..3000))),
        9 => json!({"k".repeat(chance.usize(1..400)): text(chance), text(chance): 1}),
        _ => Value::from(text(chance)),
    }
}

/// Puts it in the place of one value of the body, or beside one under another name.
pub(crate) fn replace_one(chance: &mut Rng, body: &mut Value, odd: Value) {
    match body {
        Value::Object(map) if !map.is_empty() => {
            let keys: Vec<String> = map.keys().cloned().collect();
            let key = keys[chance.usize(..keys.len())].clone();
            match (chance.u8(..8), map.get_mut(&key)) {
                (0, _) => {
                    let name = if chance.bool() {
                        text(chance).to_owned()
                    } else {
                        format!("{key}2")
                    };
                    map.insert(name, odd);
                }
                (1..3, _) | (_, None) => {
                    map.insert(key, odd);
                }
                (_, Some(inner)) => replace_one(chance, inner, odd),
            }
        }
        other => *other = odd,
    }
}

/// A path that is none, below one that is.
pub(crate) fn odd_path(chance: &mut Rng, base: Vec<u8>) -> Vec<u8> {
    let odd: Vec<u8> = match chance.u8(..9) {
        0 => b"/../../../../etc/passwd".to_vec(),
        1 => b"/%2e%2e%2f%2e%2e%2fetc%2fpasswd".to_vec(),
        2 => b"/%00".to_vec(),
        3 => b"/%ff%fe%c0%80".to_vec(),
        4 => vec![b'/', 0xff, 0xfe],
        5 => format!("/{}", "a".repeat(chance.usize(300..90_000))).into_bytes(),
        6 => b"//////".to_vec(),
        7 => b"/%zz%".to_vec(),
        _ => format!("/{}", text(chance).replace(['\r', '\n', ' '], "%20")).into_bytes(),
    };
    [base, odd].concat()
}

/// A query of a few parameters that are known, with values that are not.
pub(crate) fn odd_query(chance: &mut Rng) -> Vec<u8> {
    let names = [
        "limit",
        "offset",
        "marker",
        "sort",
        "sort_key",
        "sort_dir",
        "all_tenants",
        "with_count",
        "name",
        "status",
        "volume_id",
        "name~",
        "metadata",
        "created_at",
        "usage",
        "nonsense",
        "project_id",
        "bootable",
        "",
    ];
    let mut query = Vec::new();
    for _ in 0..chance.usize(1..4) {
        let name = names[chance.usize(..names.len())];
        let value = match chance.u8(..5) {
            0 => b"%ff%00".to_vec(),
            1 => vec![b'a'; chance.usize(1..20_000)],
            2 => b"%".to_vec(),
            3 => format!("{}", chance.i64(..)).into_bytes(),
            _ => escaped(text(chance)),
        };
        query.extend([name.as_bytes(), b"=", value.as_slice(), b"&"].concat());
    }
    query
}

/// Every byte but letters and digits as `%xx`.
fn escaped(text: &str) -> Vec<u8> {
    let escape = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02x}"),
    };
    text.bytes().map(escape).collect::<String>().into_bytes()
}
