//! The XML that S3 answers, as a small tree. Pure.
//!
//! Hostile until checked: a document type, an unknown entity, a tree deeper than 16 or a document that breaks off is
//! an error. The caller bounds the text's length, and so the tree. Attributes and namespaces are passed over.

use cofferdam_driver::Error;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

const DEEPEST: usize = 16;

/// An element: its name without prefix, the text directly in it, the elements in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// Reads a whole document; gives its root.
    pub(crate) fn parse(document: &str) -> Result<Self, Error> {
        read(document).ok_or_else(|| Error::failed("the storage answered XML that cannot be understood"))
    }

    /// The first child of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of that name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of that name.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }
}

/// A text for the inside of an element.
pub(crate) fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

fn read(document: &str) -> Option<Element> {
    // Some storages send blanks to keep the connection alive while they work.
    let mut reader = Reader::from_str(document.trim_start());
    let mut open: Vec<Element> = Vec::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) if open.len() < DEEPEST => open.push(named(&start)),
            Event::Empty(start) => {
                if let Some(root) = close(&mut open, named(&start)) {
                    return Some(root);
                }
            }
            Event::End(_) => {
                let element = open.pop()?;
                if let Some(root) = close(&mut open, element) {
                    return Some(root);
                }
            }
            Event::Text(text) => push(&mut open, &text.xml10_content()),
            Event::CData(text) => push(&mut open, &text.xml10_content()),
            Event::GeneralRef(reference) => push(&mut open, &resolved(&reference)?),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Start(_) | Event::DocType(_) | Event::Eof => return None,
        }
    }
}

fn named(start: &BytesStart<'_>) -> Element {
    let name = start.name();
    let name: &str = name.as_ref();
    let name = name.rsplit_once(':').map_or(name, |(_, local)| local);
    Element {
        name: name.to_owned(),
        ..Element::default()
    }
}

/// Puts a whole element where it belongs; gives it back when it is the root.
fn close(open: &mut [Element], element: Element) -> Option<Element> {
    match open.last_mut() {
        Some(parent) => {
            parent.children.push(element);
            None
        }
        None => Some(element),
    }
}

fn push(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
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

    #[test]
    fn a_document_becomes_a_tree() {
        let root = Element::parse(
            "\n \n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a:List xmlns:a=\"x\"><Key>1 &lt;&#65;&amp; 2</Key><Key/>\
             <![CDATA[<raw>]]></a:List>trailing",
        )
        .unwrap();
        assert_eq!(root.name, "List");
        assert_eq!(root.text("Key"), Some("1 <A& 2"));
        assert_eq!(root.all("Key").count(), 2);
        assert_eq!(root.text, "<raw>");
        assert_eq!(root.text("Absent"), None);
    }

    #[test]
    fn what_is_not_whole_or_not_plain_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(17), "</a>".repeat(17));
        for wrong in [
            "",
            "text",
            "<a>",
            "<a><b></a>",
            "</a>",
            "<!DOCTYPE a [<!ENTITY x \"y\">]><a/>",
            "<a>&x;</a>",
            "<a>&#xffffffff;</a>",
            &deep,
        ] {
            Element::parse(wrong).unwrap_err();
        }
        Element::parse(&format!("{}{}", "<a>".repeat(16), "</a>".repeat(16))).unwrap();
    }

    #[test]
    fn an_escaped_text_is_read_as_it_was() {
        let text = "a<b>&\"c\"";
        let root = Element::parse(&format!("<r><t>{}</t></r>", escaped(text))).unwrap();
        assert_eq!(root.text("t"), Some(text));
    }
}
