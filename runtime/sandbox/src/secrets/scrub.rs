//! Takes the values of secrets out of texts that leave the sandbox.
//!
//! A value is looked for as it is and as it is written in base64 (wherever it stands in what was encoded), percent-encoded,
//! in hex and inside a JSON string. Values of fewer than [`SHORTEST`] bytes are left: they would hit ordinary words.
//! What a guest makes of a value by other means it could only do with a value that was revealed to it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use super::source::Secret;
use super::vault::{json, percent};

/// Bytes of the shortest value that is looked for.
const SHORTEST: usize = 4;

/// What stands where a value stood.
pub const MARK: &str = "(secret)";

/// Knows a backend's secrets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scrubber {
    secrets: Arc<Vec<Arc<Secret>>>,
}

impl Scrubber {
    pub(crate) fn new(secrets: &BTreeMap<String, Arc<Secret>>) -> Self {
        Scrubber {
            secrets: Arc::new(secrets.values().cloned().collect()),
        }
    }

    /// The text without values of secrets.
    pub(crate) fn scrub<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for secret in self.secrets.iter() {
            for value in secret.known() {
                if value.len() < SHORTEST {
                    continue;
                }
                for form in forms(&value) {
                    if text.contains(&form) {
                        text = Cow::Owned(text.replace(&form, MARK));
                    }
                }
            }
        }
        text
    }
}

/// How a value may be written, the longest first.
fn forms(value: &str) -> Vec<String> {
    let mut all = vec![value.to_owned(), percent(value), json(value), hex::encode(value)];
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(value.as_bytes());
        // Only characters whose six bits are all of the value stay the same whatever stands around it.
        let (begin, end) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        for encoded in [STANDARD.encode(&bytes), URL_SAFE.encode(&bytes)] {
            all.extend(encoded.get(begin..end).map(str::to_owned));
        }
    }
    all.retain(|form| form.len() >= SHORTEST);
    all.sort_by_key(|form| std::cmp::Reverse(form.len()));
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;
    use super::*;

    #[test]
    fn a_value_is_taken_out_in_every_form() {
        let value = "hunter/22\"+é";
        let secrets = BTreeMap::from([("k".to_owned(), Arc::new(Secret::new(Source::text(value))))]);
        let scrubber = Scrubber::new(&secrets);
        for text in [
            format!("the key {value} is wrong"),
            format!("Basic {}", STANDARD.encode(format!("user:{value}"))),
            format!("Basic {}", STANDARD.encode(format!("us:{value}:more"))),
            URL_SAFE.encode(format!("x{value}")),
            percent(value),
            json(value),
            hex::encode(value),
        ] {
            let clean = scrubber.scrub(&text);
            assert!(clean.contains(MARK), "{text} -> {clean}");
            assert!(
                !clean.contains("hunter") && !clean.contains(&hex::encode("hunter")),
                "{clean}"
            );
        }
        assert_eq!(scrubber.scrub("nothing here"), "nothing here");
    }

    #[test]
    fn a_value_too_short_to_tell_is_left() {
        let secrets = BTreeMap::from([("k".to_owned(), Arc::new(Secret::new(Source::text("abc"))))]);
        assert_eq!(Scrubber::new(&secrets).scrub("abcdef"), "abcdef");
    }
}
