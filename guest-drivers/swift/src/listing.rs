//! Pages of a listing, from Swift's JSON, checked. Pure.
//!
//! A listing decides what is deleted and what is missing, so a wrong one must be an error: names in order, after the marker,
//! with the prefix. A cluster may give fewer names than were asked for, without a word; therefore only an empty page is the end.
//! Cost: one more request per listing, for that page.

use cofferdam_driver::{ContainerPage, Error, ObjectInfo, Page};
use serde::Deserialize;

/// What a page must keep to.
pub(crate) struct Asked<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) after: Option<&'a str>,
    pub(crate) limit: u32,
}

#[derive(Deserialize)]
struct Object {
    name: String,
    bytes: u64,
}

#[derive(Deserialize)]
struct Container {
    name: String,
}

pub(crate) fn objects(body: &[u8], asked: &Asked<'_>) -> Result<Page, Error> {
    let mut found: Vec<Object> = parse(body)?;
    let more = !found.is_empty();
    found.truncate(limit(asked));
    check(found.iter().map(|object| object.name.as_str()), asked)?;
    let objects = found.into_iter().map(|object| ObjectInfo {
        name: object.name,
        size: object.bytes,
    });
    Ok(Page {
        objects: objects.collect(),
        more,
    })
}

pub(crate) fn containers(body: &[u8], asked: &Asked<'_>) -> Result<ContainerPage, Error> {
    let mut found: Vec<Container> = parse(body)?;
    let more = !found.is_empty();
    found.truncate(limit(asked));
    check(found.iter().map(|container| container.name.as_str()), asked)?;
    Ok(ContainerPage {
        containers: found.into_iter().map(|container| container.name).collect(),
        more,
    })
}

/// The page of a storage that cannot be listed: the one container that the settings name.
pub(crate) fn only(container: &str, after: Option<&str>) -> ContainerPage {
    ContainerPage {
        containers: if after.is_none_or(|after| after < container) {
            vec![container.to_owned()]
        } else {
            Vec::new()
        },
        more: false,
    }
}

fn limit(asked: &Asked<'_>) -> usize {
    usize::try_from(asked.limit).unwrap_or(usize::MAX)
}

/// An answer without a body is no listing: a proxy on the way may have lost it.
fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<Vec<T>, Error> {
    serde_json::from_slice(body).map_err(|error| {
        Error::failed(format!(
            "the storage's listing is not the JSON of a listing: {:?}",
            error.classify()
        ))
    })
}

fn check<'a>(names: impl Iterator<Item = &'a str>, asked: &Asked<'_>) -> Result<(), Error> {
    let mut last = asked.after.filter(|after| !after.is_empty());
    for name in names {
        if name.is_empty() || last.is_some_and(|last| name <= last) {
            return Err(Error::failed("the storage's listing is out of order"));
        }
        if !name.starts_with(asked.prefix) {
            return Err(Error::failed(
                "the storage's listing holds names that were not asked for",
            ));
        }
        last = Some(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"[{"name": "a/1", "bytes": 7, "hash": "x", "last_modified": "2026-11-26T07:50:08.000000"},
        {"name": "a/2", "bytes": 0}]"#;

    fn page(body: &str, prefix: &str, after: Option<&str>, limit: u32) -> Result<Page, Error> {
        objects(body.as_bytes(), &Asked { prefix, after, limit })
    }

    #[test]
    fn a_page_that_holds_names_may_be_followed_by_more() {
        let found = page(PAGE, "a/", None, 1000).unwrap();
        assert_eq!((found.objects.len(), found.more), (2, true));
        assert_eq!(found.objects.first().unwrap().size, 7);
        assert!(page(PAGE, "a/", Some("a/0"), 2).unwrap().more);
    }

    #[test]
    fn only_an_empty_page_is_the_end() {
        let found = page("[]", "a/", Some("a/2"), 1000).unwrap();
        assert_eq!((found.objects.len(), found.more), (0, false));
        page("", "a/", Some("a/2"), 1000).unwrap_err();
    }

    #[test]
    fn a_page_is_never_longer_than_asked() {
        let found = page(PAGE, "", None, 1).unwrap();
        assert_eq!((found.objects.len(), found.more), (1, true));
    }

    #[test]
    fn names_compare_as_bytes() {
        let body = r#"[{"name": "Z", "bytes": 1}, {"name": "a", "bytes": 1}, {"name": "é", "bytes": 1}, {"name": "😀", "bytes": 1}]"#;
        assert_eq!(page(body, "", None, 9).unwrap().objects.len(), 4);
    }

    #[test]
    fn a_listing_that_cannot_be_is_an_error() {
        for (body, prefix, after) in [
            (PAGE, "b", None),
            (PAGE, "", Some("a/1")),
            (PAGE, "", Some("b")),
            (
                r#"[{"name": "b", "bytes": 1}, {"name": "a", "bytes": 1}]"#,
                "",
                None,
            ),
            (
                r#"[{"name": "a", "bytes": 1}, {"name": "a", "bytes": 1}]"#,
                "",
                None,
            ),
            (r#"[{"name": "", "bytes": 1}]"#, "", None),
            (r#"[{"name": "a", "bytes": -1}]"#, "", None),
            (r#"[{"name": "a"}]"#, "", None),
            (r#"[{"subdir": "a/"}]"#, "", None),
            ("{}", "", None),
            ("<html>", "", None),
            (r#"[{"name": "a", "by"#, "", None),
        ] {
            assert!(
                matches!(page(body, prefix, after, 9), Err(Error::Failed(_))),
                "{body}"
            );
        }
    }

    #[test]
    fn containers_have_pages_too() {
        let asked = |after, limit| Asked {
            prefix: "",
            after,
            limit,
        };
        let body = br#"[{"name": "a", "count": 1, "bytes": 5}, {"name": "b", "count": 0, "bytes": 0}]"#;
        let found = containers(body, &asked(None, 1000)).unwrap();
        assert_eq!(
            (found.containers, found.more),
            (vec!["a".to_owned(), "b".to_owned()], true)
        );
        assert!(!containers(b"[]", &asked(Some("b"), 1000)).unwrap().more);
        assert_eq!(only("v", None).containers, ["v"]);
        assert!(only("v", Some("v")).containers.is_empty());
    }
}
