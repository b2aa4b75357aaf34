//! Requests that are wrong in one way each, and the rest of them right, so that they come far.

use cofferdam_tests::rest::Rest;
use fastrand::Rng;
use serde_json::Value;

use crate::odd::{odd_path, odd_query, odd_value, replace_one, text};
use crate::templates::{paths, templates};

/// In which way a request is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The body is no JSON.
    BrokenJson,
    /// A value in the body is another than belongs there.
    OddValue,
    /// A byte of the body is another, is gone or is there twice.
    FlippedByte,
    /// The body is nested beyond all measure.
    Deep,
    /// The body is larger than anybody needs.
    Oversized,
    /// The path holds what no path holds.
    OddPath,
    /// The query does.
    OddQuery,
    /// The header of the microversion does.
    OddVersion,
    /// The type of the body is another.
    OddType,
    /// The headers are many, or large, or no text.
    OddHeaders,
    /// The token is none.
    OddToken,
    /// The method is unknown, or not for this path.
    OddMethod,
    /// The request ends in its middle.
    CutOff,
    /// Its length is told twice, wrongly, or in broken chunks.
    OddFraming,
}

impl Kind {
    pub(crate) const ALL: [Kind; 14] = [
        Kind::BrokenJson,
        Kind::OddValue,
        Kind::FlippedByte,
        Kind::Deep,
        Kind::Oversized,
        Kind::OddPath,
        Kind::OddQuery,
        Kind::OddVersion,
        Kind::OddType,
        Kind::OddHeaders,
        Kind::OddToken,
        Kind::OddMethod,
        Kind::CutOff,
        Kind::OddFraming,
    ];

    /// Whether the connection cannot be used further, and may be closed without an answer.
    pub(crate) fn breaks_framing(self) -> bool {
        matches!(
            self,
            Kind::CutOff
                | Kind::OddFraming
                | Kind::Oversized
                | Kind::OddHeaders
                | Kind::OddPath
                | Kind::OddMethod
        )
    }
}

/// One request, as it goes over the wire.
pub(crate) struct Request {
    pub(crate) kind: Kind,
    pub(crate) bytes: Vec<u8>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let start = &self.bytes[..self.bytes.len().min(700)];
        write!(f, "{:?} {}", self.kind, start.escape_ascii())
    }
}

/// Makes them.
pub(crate) struct Maker {
    chance: Rng,
    callers: [Rest; 2],
    templates: Vec<(&'static str, String, Value)>,
    paths: Vec<String>,
}

impl Maker {
    pub(crate) fn new(seed: u64, callers: [Rest; 2], ids: &[&str; 2]) -> Self {
        let [volume, backup] = ids;
        Maker {
            chance: Rng::with_seed(seed),
            callers,
            templates: templates(volume, backup),
            paths: paths(volume, backup),
        }
    }

    /// The next one.
    pub(crate) fn request(&mut self) -> Request {
        let kind = Kind::ALL[self.chance.usize(..Kind::ALL.len())];
        // What is large is rare.
        let kind = match kind {
            Kind::Oversized | Kind::Deep if self.chance.u8(..4) > 0 => Kind::OddValue,
            other => other,
        };
        let caller = self.callers[self.chance.usize(..2)].clone();
        let bytes = match kind {
            Kind::BrokenJson | Kind::OddValue | Kind::FlippedByte | Kind::Deep | Kind::Oversized => {
                let (method, path, body) = self.body(kind);
                with_body(&caller, method, &path, "application/json", &body)
            }
            Kind::OddType => {
                let (method, path, body) = self.template();
                let types = [
                    "text/plain",
                    "application/xml",
                    "",
                    ";",
                    "application/json; charset=utf-7",
                    "\u{1}",
                ];
                let of = types[self.chance.usize(..types.len())];
                with_body(&caller, method, &path, of, body.to_string().as_bytes())
            }
            Kind::OddPath => {
                let base = self.path().into_bytes();
                let path = odd_path(&mut self.chance, base);
                wire(&caller.head("@", "@", ""), "GET", &path, b"")
            }
            Kind::OddQuery => {
                let path = [
                    self.path().into_bytes(),
                    b"?".to_vec(),
                    odd_query(&mut self.chance),
                ]
                .concat();
                wire(&caller.head("@", "@", ""), "GET", &path, b"")
            }
            Kind::OddVersion => {
                let versions = [
                    "volume",
                    "volume 3",
                    "volume 3.",
                    "volume 3.999999999999999999999",
                    "volume -1.0",
                    "volume 3.1.1",
                    "3.1",
                    "volume  ",
                    "volume latest latest",
                    "volume 0x3.1",
                    ",,,,",
                    "volume 3.1, volume 3.99",
                    "volume \u{fc}",
                    "compute 2.1,volume x",
                ];
                let head = caller.with_version_header(versions[self.chance.usize(..versions.len())]);
                wire(&head.head("@", "@", ""), "GET", self.path().as_bytes(), b"")
            }
            Kind::OddHeaders => {
                let more = match self.chance.u8(..4) {
                    0 => format!("x-large: {}\r\n", "a".repeat(self.chance.usize(10_000..700_000))),
                    1 => (0..self.chance.usize(50..2000))
                        .map(|number| format!("x-{number}: 1\r\n"))
                        .collect(),
                    2 => format!("x-odd: \u{1}\u{7f}{}\r\n", text(&mut self.chance)),
                    _ => "no colon here\r\n".to_owned(),
                };
                wire(&caller.head("@", "@", &more), "GET", self.path().as_bytes(), b"")
            }
            Kind::OddToken => {
                let tokens = ["", ":", "admin", ":p", "a:b:c", "../x:y", "ada:p\u{e9}", "%00:p"];
                let one = self.chance.usize(..=tokens.len());
                let head = caller.with_token(tokens.get(one).copied());
                wire(&head.head("@", "@", ""), "GET", self.path().as_bytes(), b"")
            }
            Kind::OddMethod => {
                let methods = [
                    "BREW", "get", "PATCH", "TRACE", "OPTIONS", "HEAD", "CONNECT", "G\u{e9}T", "DELETE",
                    "POST",
                ];
                let method = methods[self.chance.usize(..methods.len())];
                // Not what is there to stay.
                let path = ["/v3/backups", "/v3/limits", "/nowhere", "/v3/types/x"][self.chance.usize(..4)];
                wire(&caller.head("@", "@", ""), method, path.as_bytes(), b"")
            }
            Kind::CutOff => {
                let (method, path, body) = self.template();
                let whole = with_body(
                    &caller,
                    method,
                    &path,
                    "application/json",
                    body.to_string().as_bytes(),
                );
                whole[..self.chance.usize(1..whole.len())].to_vec()
            }
            Kind::OddFraming => {
                let more = [
                    "content-length: 5\r\ncontent-length: 6\r\n",
                    "content-length: -1\r\n",
                    "content-length: 99999999999999999999999\r\n",
                    "transfer-encoding: chunked\r\n",
                    "transfer-encoding: chunked\r\ncontent-length: 4\r\n",
                    "transfer-encoding: gzip\r\n",
                    "expect: 200-ok\r\ncontent-length: 2\r\n",
                ];
                let head = caller.head("@", "@", more[self.chance.usize(..more.len())]);
                let bodies: [&[u8]; 5] = [
                    b"zz\r\n{}\r\n0\r\n\r\n",
                    b"fffffffffffffffffff\r\n",
                    b"2\r\n{}",
                    b"{}",
                    b"\r\n\r\n",
                ];
                wire(
                    &head,
                    "POST",
                    b"/v3/backups",
                    bodies[self.chance.usize(..bodies.len())],
                )
            }
        };
        Request { kind, bytes }
    }

    fn template(&mut self) -> (&'static str, String, Value) {
        self.templates[self.chance.usize(..self.templates.len())].clone()
    }

    fn path(&mut self) -> String {
        self.paths[self.chance.usize(..self.paths.len())].clone()
    }

    /// A body that is wrong in that way.
    fn body(&mut self, kind: Kind) -> (&'static str, String, Vec<u8>) {
        let (method, path, mut body) = self.template();
        let text = match kind {
            Kind::BrokenJson => {
                let whole = body.to_string();
                let broken = [
                    whole[..self.chance.usize(..whole.len())].to_owned(),
                    format!("{whole}{whole}"),
                    whole.replace('"', "'"),
                    whole.replace(':', ""),
                    format!("\u{feff}{whole}"),
                    String::new(),
                    "nonsense".to_owned(),
                    format!("{{{}", &whole),
                ];
                broken[self.chance.usize(..broken.len())].clone().into_bytes()
            }
            Kind::FlippedByte => {
                let mut bytes = body.to_string().into_bytes();
                for _ in 0..self.chance.usize(1..4) {
                    let at = self.chance.usize(..bytes.len());
                    match self.chance.u8(..3) {
                        0 => bytes[at] = self.chance.u8(..),
                        1 => drop(bytes.remove(at)),
                        _ => bytes.insert(at, bytes[at]),
                    }
                }
                bytes
            }
            Kind::Deep => {
                let depth = self.chance.usize(100..100_000);
                let (open, close) = [("[", "]"), ("{\"a\":", "}")][self.chance.usize(..2)];
                format!("{}1{}", open.repeat(depth), close.repeat(depth)).into_bytes()
            }
            Kind::Oversized => {
                let size = self.chance.usize(100_000..8_000_000);
                replace_one(&mut self.chance, &mut body, Value::from("a".repeat(size)));
                body.to_string().into_bytes()
            }
            _ => {
                let odd = odd_value(&mut self.chance);
                replace_one(&mut self.chance, &mut body, odd);
                let huge = [
                    "1e999",
                    "123456789012345678901234567890",
                    "-0",
                    "1.5",
                    "-9223372036854775809",
                ];
                let number = huge[self.chance.usize(..huge.len())];
                body.to_string().replace("\"HUGE\"", number).into_bytes()
            }
        };
        (method, path, text)
    }
}

/// A head for method `@` and path `@` with these in their place, and a body.
fn wire(head: &str, method: &str, path: &[u8], body: &[u8]) -> Vec<u8> {
    let (_, rest) = head.split_once("@ @").expect("the head begins with its places");
    [method.as_bytes(), b" ", path, rest.as_bytes(), body].concat()
}

fn with_body(caller: &Rest, method: &str, path: &str, of: &str, body: &[u8]) -> Vec<u8> {
    let more = format!("content-type: {of}\r\ncontent-length: {}\r\n", body.len());
    wire(&caller.head("@", "@", &more), method, path.as_bytes(), body)
}
