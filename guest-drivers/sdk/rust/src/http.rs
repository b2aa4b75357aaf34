//! HTTP for drivers: one request, one answer, over `wasi:http`.
//!
//! Problem: the raw interface takes twenty calls in the right order for one request, and drops a server's answer when
//! the body breaks off. Solved by [`Request`], which is built, sent once with no body, a small one or a streamed one, and
//! gives a [`Response`]: status, headers, and a body that is read up to a limit or piped to a sink. Bytes of objects are
//! moved by the host and never enter the guest.
//!
//! Bound: nothing is tried twice, no redirect is followed, no body is collected without a limit. What the server says is
//! hostile until checked: texts of its making are shortened and cleaned before they reach an error ([`shown`]).
//!
//! One file per purpose: [`url`] takes addresses apart, [`request`] sends, [`response`] receives, [`failure`] turns
//! `wasi:http`'s error codes and [`status`] turns statuses into the contract's errors, [`range`] asks for
//! a part of an object and checks the answer, [`encode`] and [`time`] are small pure helpers.

pub mod encode;
mod failure;
mod headers;
pub mod range;
pub mod request;
pub mod response;
pub mod status;
pub mod time;
pub mod url;

pub use headers::Headers;
pub use request::{Request, Timeouts};
pub use response::Response;
pub use url::{Scheme, Url};
pub use wasip2::http::types::Method;

/// Characters of a server's text that an error shows.
const LONGEST_SHOWN: usize = 200;

/// A text that someone else made, fit for an error or a log: one line, no control characters, at most 200 characters.
pub fn shown(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if line.chars().nth(LONGEST_SHOWN).is_none() {
        return line;
    }
    line.chars().take(LONGEST_SHOWN).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_text_of_others_is_one_short_line() {
        assert_eq!(shown(" Access\r\n\u{7}Denied\t "), "Access Denied");
        assert_eq!(shown(&"é".repeat(5000)).chars().count(), 203);
        assert_eq!(shown("\0\u{1b}"), "");
    }
}
