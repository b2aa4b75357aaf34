//! Texts for URLs and headers: percent-encoding, hex, base64. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const RESERVED_BUT_SLASH: &AsciiSet = &RESERVED.remove(b'/');

/// Percent-encodes all but letters, digits and `-._~`: for a part of a query, or one segment of a path.
pub fn percent(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The same, but leaves `/` as it is: for a path of several segments.
pub fn percent_path(path: &str) -> String {
    utf8_percent_encode(path, RESERVED_BUT_SLASH).to_string()
}

/// Undoes percent-encoding; `None` when the bytes are not UTF-8. `plus` says that a `+` stands for a space.
pub fn percent_decode(text: &str, plus: bool) -> Option<String> {
    let decode = |text: &str| {
        percent_decode_str(text)
            .decode_utf8()
            .ok()
            .map(|decoded| decoded.into_owned())
    };
    if plus {
        decode(&text.replace('+', " "))
    } else {
        decode(text)
    }
}

/// `name=value&...`, each part percent-encoded, in the order given.
pub fn query(parts: &[(&str, &str)]) -> String {
    let parts: Vec<String> = parts
        .iter()
        .map(|(name, value)| format!("{}={}", percent(name), percent(value)))
        .collect();
    parts.join("&")
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a hex text of either case; `None` when it is none.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}

/// Base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay_as_they_are() {
        assert_eq!(percent("aZ09-._~ /+%é"), "aZ09-._~%20%2F%2B%25%C3%A9");
        assert_eq!(percent_path("a b/c"), "a%20b/c");
        assert_eq!(
            query(&[("list-type", "2"), ("prefix", "a/b")]),
            "list-type=2&prefix=a%2Fb"
        );
        assert_eq!(query(&[]), "");
    }

    #[test]
    fn decoding_undoes_encoding_and_refuses_what_is_not_utf8() {
        for text in ["a b", "ü/+%", "", "100%"] {
            assert_eq!(percent_decode(&percent(text), false).as_deref(), Some(text));
        }
        assert_eq!(percent_decode("a+b", true).as_deref(), Some("a b"));
        assert_eq!(percent_decode("a+b", false).as_deref(), Some("a+b"));
        assert_eq!(percent_decode("%ff", false), None);
    }

    #[test]
    fn hex_goes_both_ways() {
        assert_eq!(hex(&[0, 0xab, 0xff]), "00abff");
        assert_eq!(from_hex("00abFF"), Some(vec![0, 0xab, 0xff]));
        for wrong in ["0", "0g", "+1", "é"] {
            assert_eq!(from_hex(wrong), None, "{wrong}");
        }
        assert_eq!(base64(b"light w"), "bGlnaHQgdw==");
    }
}
