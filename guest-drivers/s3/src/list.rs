//! Listing a bucket, a page at a time. Cinder fails on a page without objects; here it is an empty page.
//!
//! The host's pages and S3's are the same: what comes after a name, at most so many. A page is believed only when its
//! names ascend and all are what was asked for, so that a page of another kind cannot pass for a complete one.

use cofferdam_driver::http::encode::percent_decode;
use cofferdam_driver::http::{Method, time};
use cofferdam_driver::{Error, ObjectInfo, Page};

use crate::client::Call;
use crate::config::Config;
use crate::failure;
use crate::xml::Element;

/// A thousand names of 1024 bytes, each percent-encoded, with all that S3 says of each.
pub(crate) const LONGEST_PAGE: usize = 8 << 20;

/// An object, and when it was written, in seconds since 1970, if the storage says so.
pub(crate) struct Entry {
    pub(crate) info: ObjectInfo,
    pub(crate) written: Option<u64>,
}

/// What to list.
pub(crate) struct Question<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) after: Option<&'a str>,
    pub(crate) limit: u32,
}

/// The page for the host.
pub(crate) fn list(config: &Config, bucket: &str, question: &Question<'_>) -> Result<Page, Error> {
    let (entries, more) = entries(config, bucket, question)?;
    Ok(Page {
        objects: entries.into_iter().map(|entry| entry.info).collect(),
        more,
    })
}

/// The entries of a page, and whether more may follow.
pub(crate) fn entries(
    config: &Config,
    bucket: &str,
    question: &Question<'_>,
) -> Result<(Vec<Entry>, bool), Error> {
    let limit = question.limit.to_string();
    let mut query = vec![
        ("list-type", "2"),
        ("encoding-type", "url"),
        ("max-keys", &limit),
        ("prefix", question.prefix),
    ];
    query.extend(question.after.map(|after| ("start-after", after)));
    let call = Call {
        query: &query,
        ..Call::new(Method::Get, bucket, "")
    };
    let response = config.client.request(call)?.send()?;
    if !response.is_success() {
        return Err(failure::refused(response, &format!("list the bucket {bucket}")));
    }
    let answer = response.text(LONGEST_PAGE)?;
    read(&Element::parse(&answer)?, question).ok_or_else(|| {
        Error::failed(format!(
            "the storage answered a listing of the bucket {bucket} that does not fit"
        ))
    })
}

fn read(root: &Element, question: &Question<'_>) -> Option<(Vec<Entry>, bool)> {
    if root.name != "ListBucketResult" {
        return None;
    }
    let encoded = root.text("EncodingType") == Some("url");
    let mut entries: Vec<Entry> = Vec::new();
    for content in root.all("Contents") {
        let entry = entry(content, encoded)?;
        let name = entry.info.name.as_str();
        let before = entries
            .last()
            .map(|last| last.info.name.as_str())
            .or(question.after);
        if !name.starts_with(question.prefix) || before.is_some_and(|before| name <= before) {
            return None;
        }
        entries.push(entry);
    }
    let truncated = match root.text("IsTruncated")? {
        "true" => true,
        "false" => false,
        _ => return None,
    };
    let limit = usize::try_from(question.limit).unwrap_or(usize::MAX);
    let more = truncated || entries.len() > limit;
    entries.truncate(limit);
    // A page without names from which to go on is no page.
    (!more || !entries.is_empty()).then_some((entries, more))
}

fn entry(content: &Element, encoded: bool) -> Option<Entry> {
    Some(Entry {
        info: ObjectInfo {
            name: decoded(content.text("Key")?, encoded)?,
            size: content.text("Size")?.trim().parse().ok()?,
        },
        written: content.text("LastModified").and_then(time::parse_iso),
    })
}

/// A name as it is: with `encoding-type=url` it comes percent-encoded, and a space as `+`.
pub(crate) fn decoded(name: &str, encoded: bool) -> Option<String> {
    if encoded {
        percent_decode(name, true)
    } else {
        Some(name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str, after: Option<&str>, limit: u32) -> Option<(Vec<String>, bool)> {
        let document = format!("<ListBucketResult>{body}</ListBucketResult>");
        let question = Question {
            prefix: "a",
            after,
            limit,
        };
        let (entries, more) = read(&Element::parse(&document).unwrap(), &question)?;
        Some((entries.into_iter().map(|entry| entry.info.name).collect(), more))
    }

    fn content(key: &str) -> String {
        format!(
            "<Contents><Key>{key}</Key><Size>5</Size><LastModified>2024-01-02T03:04:05.000Z</LastModified></Contents>"
        )
    }

    const LAST: &str = "<IsTruncated>false</IsTruncated>";
    const MORE: &str = "<IsTruncated>true</IsTruncated>";
    const URL: &str = "<EncodingType>url</EncodingType>";

    #[test]
    fn a_page_without_objects_is_empty_and_not_an_error() {
        assert_eq!(page(LAST, None, 10), Some((vec![], false)));
        assert_eq!(page(MORE, None, 10), None);
        assert_eq!(page("", None, 10), None);
    }

    #[test]
    fn names_are_decoded_only_when_the_storage_says_that_it_encoded_them() {
        let body = format!("{LAST}{}", content("a+b%2Bc"));
        assert_eq!(page(&format!("{URL}{body}"), None, 10).unwrap().0, ["a b+c"]);
        assert_eq!(page(&body, None, 10).unwrap().0, ["a+b%2Bc"]);
        assert_eq!(page(&format!("{URL}{LAST}{}", content("a%ff")), None, 10), None);
    }

    #[test]
    fn names_that_do_not_ascend_or_were_not_asked_for_spoil_the_page() {
        let two = |one: &str, other: &str| format!("{LAST}{}{}", content(one), content(other));
        assert_eq!(page(&two("a1", "a2"), Some("a0"), 10).unwrap().0, ["a1", "a2"]);
        assert_eq!(page(&two("a2", "a1"), None, 10), None);
        assert_eq!(page(&two("a1", "a1"), None, 10), None);
        assert_eq!(page(&two("a1", "b1"), None, 10), None);
        assert_eq!(page(&two("a1", "a2"), Some("a1"), 10), None);
        assert_eq!(
            page(&format!("{LAST}<Contents><Key>a</Key></Contents>"), None, 10),
            None
        );
    }

    #[test]
    fn a_page_is_never_longer_than_asked() {
        let body = format!("{LAST}{}{}", content("a1"), content("a2"));
        assert_eq!(page(&body, None, 1), Some((vec!["a1".to_owned()], true)));
        let body = format!("{MORE}{}", content("a1"));
        assert_eq!(page(&body, None, 1), Some((vec!["a1".to_owned()], true)));
    }
}
