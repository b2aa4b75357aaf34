//! Header fields of an answer: looked up by name in any case, the first of several.

/// The header fields that came with an answer.
#[derive(Debug, Default, Clone)]
pub struct Headers {
    fields: Vec<(String, Vec<u8>)>,
}

impl Headers {
    /// Takes the fields as they came.
    pub fn new(fields: Vec<(String, Vec<u8>)>) -> Self {
        Self { fields }
    }

    /// The value of the first field of that name, when it is text; spaces around it are cut.
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok().map(str::trim)
    }

    /// The value as a whole number of bytes or seconds; `None` also when it is none.
    pub fn number(&self, name: &str) -> Option<u64> {
        let text = self.get(name)?;
        // `parse` alone would accept a sign.
        text.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse().ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::Headers;

    #[test]
    fn names_match_in_any_case_and_numbers_are_only_digits() {
        let field = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
        let headers = Headers::new(vec![
            field("Content-Length", b" 42 "),
            field("content-length", b"43"),
            field("etag", b"\xff"),
            field("retry-after", b"+5"),
        ]);
        assert_eq!(headers.number("content-length"), Some(42));
        assert_eq!(headers.get("ETag"), None);
        assert_eq!(headers.number("Retry-After"), None);
        assert_eq!(headers.get("absent"), None);
    }
}
