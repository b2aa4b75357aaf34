//! What a server tells of resources (RFC 4918's `multistatus`), resource by resource, as it comes.
//!
//! A listing decides what is deleted and what is missing, so it must be whole: the root element must be closed, each resource
//! must say what it is, and any status but success or "gone" ends the reading with an error.
//!
//! Hostile until checked: a document type, an unknown entity, a tree deeper than 16 or a resource of over a megabyte is an
//! error. Namespaces are passed over: only two properties were asked for. Bound: one resource in memory.

use std::io::{self, BufReader, Read};

use cofferdam_driver::Error;
use cofferdam_driver::http::response::broken_off;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::dav::Found;

const DEEPEST: usize = 16;
/// Bytes that are read for one resource, and some more that are read ahead.
const RATION: usize = 1 << 20;

/// A resource that the server tells of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// As in a request line, still encoded.
    pub(crate) path: String,
    pub(crate) found: Found,
}

/// A source that ends in an error when too much is read of it without [`Rationed::refill`].
pub(crate) struct Rationed<R> {
    source: R,
    left: usize,
}

impl<R> Rationed<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, left: RATION }
    }

    fn refill(&mut self) {
        self.left = RATION;
    }
}

impl<R: Read> Read for Rationed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.source.read(buffer)?;
        self.left = self
            .left
            .checked_sub(bytes)
            .ok_or_else(|| io::Error::other("a resource is told of in more than a megabyte"))?;
        Ok(bytes)
    }
}

/// Reads all of it and tells `take` of each resource. `what` completes "cannot ...".
pub(crate) fn read<R: Read>(
    source: BufReader<Rationed<R>>,
    what: &str,
    mut take: impl FnMut(Entry) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut reader = Reader::from_reader(source);
    let (mut open, mut buffer) = (Vec::new(), Vec::new());
    loop {
        buffer.clear();
        let closed = match reader
            .read_event_into(&mut buffer)
            .map_err(|error| broken(&error, what))?
        {
            Event::Start(start) if open.len() < DEEPEST => {
                open.push(Element::named(&start));
                None
            }
            Event::Empty(start) if open.len() < DEEPEST => Some(Element::named(&start)),
            Event::End(_) => open.pop(),
            Event::Text(text) => {
                push(&mut open, &text.xml10_content());
                None
            }
            Event::CData(text) => {
                push(&mut open, &text.xml10_content());
                None
            }
            Event::GeneralRef(reference) => {
                push(&mut open, &resolved(&reference).ok_or_else(|| senseless(what))?);
                None
            }
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => None,
            Event::Start(_) | Event::Empty(_) | Event::DocType(_) | Event::Eof => {
                return Err(senseless(what));
            }
        };
        let Some(element) = closed else { continue };
        match (open.len(), open.last_mut()) {
            (0, _) if element.name == "multistatus" => return Ok(()),
            (1, Some(root)) if root.name == "multistatus" => {
                if element.name == "response" {
                    take(entry(&element, what)?)?;
                }
                reader.get_mut().get_mut().refill();
            }
            (_, Some(parent)) => parent.children.push(element),
            (_, None) => return Err(senseless(what)),
        }
    }
}

fn entry(response: &Element, what: &str) -> Result<Entry, Error> {
    let href = response.child("href").ok_or_else(|| senseless(what))?;
    let entry = |found| Entry {
        path: path(href.text.trim()).to_owned(),
        found,
    };
    if let Some(status) = response.child("status") {
        // Told of as a whole: it went while the server read the collection, or cannot be read.
        return match code(status) {
            Some(404 | 410) => Ok(entry(Found::Nothing)),
            code => Err(refused(code, what)),
        };
    }
    let mut prop = None;
    for propstat in response.children.iter().filter(|child| child.name == "propstat") {
        match propstat.child("status").and_then(code) {
            Some(200) => prop = propstat.child("prop"),
            // Collections have no length.
            Some(404) => {}
            code => return Err(refused(code, what)),
        }
    }
    let prop = prop.ok_or_else(|| senseless(what))?;
    let kind = prop.child("resourcetype").ok_or_else(|| senseless(what))?;
    if kind.child("collection").is_some() {
        return Ok(entry(Found::Collection));
    }
    let length = prop.child("getcontentlength").map(|length| length.text.trim());
    length
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .map(|length| entry(Found::Resource(length)))
        .ok_or_else(|| {
            Error::failed(format!(
                "cannot {what}: the server does not tell a resource's length"
            ))
        })
}

/// An `href` is a path, or a whole URL.
fn path(href: &str) -> &str {
    match href.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => {
            rest.find('/').map_or("/", |slash| rest.split_at(slash).1)
        }
        _ => href,
    }
}

/// 200 of `HTTP/1.1 200 OK`.
fn code(status: &Element) -> Option<u16> {
    status.text.split_whitespace().nth(1)?.parse().ok()
}

fn refused(code: Option<u16>, what: &str) -> Error {
    let text = match code {
        Some(code) => format!("cannot {what}: the server tells {code} of a resource in it"),
        None => format!("cannot {what}: the server tells no status of a resource in it"),
    };
    match code {
        Some(401 | 403) => Error::unauthorized(text),
        Some(500..=599) => Error::unavailable(text),
        _ => Error::failed(text),
    }
}

fn senseless(what: &str) -> Error {
    Error::failed(format!(
        "cannot {what}: the server's answer is no whole multistatus"
    ))
}

fn broken(error: &quick_xml::Error, what: &str) -> Error {
    let io = match error {
        quick_xml::Error::Io(error) => Some(error.as_ref()),
        _ => None,
    };
    io.and_then(broken_off).unwrap_or_else(|| senseless(what))
}

/// An element: its name without prefix, the text directly in it, the elements in it.
#[derive(Debug, Default)]
struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    fn named(start: &BytesStart<'_>) -> Self {
        let name = start.name();
        let name: &str = name.as_ref();
        Self {
            name: name.rsplit_once(':').map_or(name, |(_, local)| local).to_owned(),
            ..Self::default()
        }
    }

    fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }
}

fn push(open: &mut [Element], text: &str) {
    // Of the root's own text nothing is kept: it would grow with the listing.
    if let [_, .., element] = open {
        element.text.push_str(text);
    }
}

fn resolved(reference: &BytesRef<'_>) -> Option<String> {
    match reference.resolve_char_ref().ok()? {
        Some(character) => Some(character.to_string()),
        None => resolve_predefined_entity(&reference.xml10_content()).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(document: &str) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        let source = BufReader::with_capacity(16, Rationed::new(document.as_bytes()));
        read(source, "list it", |entry| {
            entries.push(entry);
            Ok(())
        })?;
        Ok(entries)
    }

    fn response(inside: &str) -> String {
        format!("<D:multistatus xmlns:D=\"DAV:\"><D:response>{inside}</D:response></D:multistatus>")
    }

    const COLLECTION: &str = "<D:href>/b/c/</D:href>\n<D:propstat><D:prop><lp1:resourcetype><D:collection/></lp1:resourcetype>\
        </D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat><D:propstat><D:prop><g0:getcontentlength/></D:prop>\
        <D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>";
    const FILE: &str = "<href>http://h:1/b/c/a&amp;b</href><propstat><prop><getcontentlength>7</getcontentlength><resourcetype/>\
        </prop><status>HTTP/1.1 200 OK</status></propstat>";

    #[test]
    fn collections_and_resources_are_told_apart() {
        let document = format!(
            "<?xml version=\"1.0\"?>\n<m:multistatus><r:response>{COLLECTION}</r:response>\n<response>{FILE}</response></m:multistatus>"
        );
        let expected = [
            Entry {
                path: "/b/c/".to_owned(),
                found: Found::Collection,
            },
            Entry {
                path: "/b/c/a&b".to_owned(),
                found: Found::Resource(7),
            },
        ];
        assert_eq!(all(&document).unwrap(), expected);
        assert_eq!(all("<multistatus/>").unwrap(), []);
    }

    #[test]
    fn what_went_meanwhile_is_nothing() {
        let gone = response("<href>/b/x</href><status>HTTP/1.1 404 Not Found</status>");
        assert_eq!(all(&gone).unwrap().first().unwrap().found, Found::Nothing);
    }

    #[test]
    fn a_listing_that_is_not_whole_is_an_error() {
        let whole = response(FILE);
        for end in 0..whole.len() {
            all(whole.get(..end).unwrap()).unwrap_err();
        }
        all(&whole).unwrap();
    }

    #[test]
    fn a_resource_of_which_too_little_is_told_is_an_error() {
        for inside in [
            "",
            "<href>/x</href>",
            &FILE.replace("<resourcetype/>", ""),
            &FILE.replace("<getcontentlength>7</getcontentlength>", ""),
            &FILE.replace('7', "-7"),
            &FILE.replace("200 OK", "500 Oh"),
            &FILE.replace("<status>HTTP/1.1 200 OK</status>", ""),
            "<href>/x</href><status>HTTP/1.1 200 OK</status>",
        ] {
            all(&response(inside)).unwrap_err();
        }
        let forbidden = response("<href>/x</href><status>HTTP/1.1 403 Forbidden</status>");
        assert!(matches!(all(&forbidden), Err(Error::Unauthorized(_))));
    }

    #[test]
    fn what_is_no_plain_multistatus_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(17), "</a>".repeat(17));
        for wrong in [
            "<html>maintenance</html>",
            "text",
            "<!DOCTYPE a [<!ENTITY x \"y\">]><multistatus/>",
            "<multistatus><response><href>&x;</href></response></multistatus>",
            &format!("<multistatus>{deep}</multistatus>"),
            &response(&format!("<href>{}</href>", "x".repeat(2 << 20))),
        ] {
            all(wrong).unwrap_err();
        }
    }

    #[test]
    fn a_long_listing_is_read_within_its_rations() {
        let response = format!("<response>{FILE}</response>");
        let document = format!("<multistatus>{}</multistatus>", response.repeat(20_000));
        assert!(document.len() > 3 * RATION);
        assert_eq!(all(&document).unwrap().len(), 20_000);
    }
}
