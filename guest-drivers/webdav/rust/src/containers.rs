//! Containers: made when missing, listed, and the objects in them listed.
//!
//! A listing is complete or an error. WebDAV knows no pages, so each page asks for the whole collection and keeps the names of
//! the page. Bound: one page of names in memory. Cost: some 400 bytes on the wire for each object of the container, for each page.

use std::collections::BTreeMap;

use cofferdam_driver::http::Method;
use cofferdam_driver::{ContainerPage, Error, ObjectInfo, Page, names};

use crate::dav::{Dav, Found, check_container};

/// Whether the collection of the containers is there. Gone, it is `unavailable`: it may come back.
pub(crate) fn root(dav: &Dav) -> Result<(), Error> {
    match dav.find(dav.root(), "look at the collection of webdav_url")? {
        Found::Collection => Ok(()),
        Found::Nothing => Err(root_is_gone()),
        Found::Resource(_) => Err(Error::unavailable(
            "webdav_url names a plain resource and no collection",
        )),
    }
}

fn root_is_gone() -> Error {
    Error::unavailable("the collection of webdav_url is not there: make it, or mend what it stands on")
}

/// Makes the container unless it is there.
pub(crate) fn create(dav: &Dav, container: &str) -> Result<(), Error> {
    let what = format!("make the container {container}");
    let method = Method::Other("MKCOL".to_owned());
    let response = dav.request(method, dav.container(container)).send()?;
    match response.status() {
        201 => Ok(()),
        // Something is there already.
        405 => match dav.find(dav.container(container), &what)? {
            Found::Collection => Ok(()),
            Found::Resource(_) => Err(Error::already_exists(format!(
                "cannot {what}: a plain resource stands in its place"
            ))),
            Found::Nothing => Err(Error::unavailable(format!(
                "cannot {what}: the server said that it is there (405), and then that it is not"
            ))),
        },
        404 | 409 => Err(root_is_gone()),
        _ if response.is_success() => Err(Error::failed(format!(
            "cannot {what}: the server answered {}",
            response.status()
        ))),
        _ => Err(response.error(&what, None)),
    }
}

/// The objects of a container. Unfinished ones are none.
pub(crate) fn objects(
    dav: &Dav,
    container: &str,
    prefix: &str,
    after: Option<&str>,
    limit: u32,
) -> Result<Page, Error> {
    let what = format!("list the container {container}");
    let mut page = Picker::new(prefix, after, limit);
    let there = dav.each_member(dav.container(container), &what, |name, found| {
        if let Found::Resource(size) = found
            && !names::is_reserved(&name)
        {
            page.take(name, size);
        }
    })?;
    if !there {
        return Err(Error::not_found(format!("there is no container {container}")));
    }
    let (named, more) = page.finish();
    let objects = named.into_iter().map(|(name, size)| ObjectInfo { name, size });
    Ok(Page {
        objects: objects.collect(),
        more,
    })
}

/// The collections right below the root.
pub(crate) fn list(dav: &Dav, after: Option<&str>, limit: u32) -> Result<ContainerPage, Error> {
    let mut page = Picker::new("", after, limit);
    let there = dav.each_member(dav.root(), "list the containers", |name, found| {
        // In what has no container's name no backup was ever placed.
        if found == Found::Collection && check_container(&name).is_ok() {
            page.take(name, ());
        }
    })?;
    if !there {
        return Err(root_is_gone());
    }
    let (named, more) = page.finish();
    Ok(ContainerPage {
        containers: named.into_keys().collect(),
        more,
    })
}

/// Picks the first names, in byte order, that begin with a prefix and come after a name.
struct Picker<'a, T> {
    prefix: &'a str,
    after: Option<&'a str>,
    limit: usize,
    /// One more than the page, to know whether more follow.
    named: BTreeMap<String, T>,
}

impl<'a, T> Picker<'a, T> {
    fn new(prefix: &'a str, after: Option<&'a str>, limit: u32) -> Self {
        Self {
            prefix,
            after,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            named: BTreeMap::new(),
        }
    }

    fn take(&mut self, name: String, value: T) {
        if !name.starts_with(self.prefix) || self.after.is_some_and(|after| name.as_str() <= after) {
            return;
        }
        self.named.insert(name, value);
        if self.named.len() > self.limit.saturating_add(1) {
            self.named.pop_last();
        }
    }

    fn finish(mut self) -> (BTreeMap<String, T>, bool) {
        let more = self.named.len() > self.limit;
        if more {
            self.named.pop_last();
        }
        (self.named, more)
    }
}

#[cfg(test)]
mod tests {
    use super::Picker;

    fn pick(prefix: &str, after: Option<&str>, limit: u32) -> (Vec<String>, bool) {
        let mut picker = Picker::new(prefix, after, limit);
        for name in ["b-3", "a", "b-1", "b", "é", "b-2", "b-10", "B"] {
            picker.take(name.to_owned(), ());
        }
        let (named, more) = picker.finish();
        (named.into_keys().collect(), more)
    }

    #[test]
    fn pages_follow_one_another_without_gap_or_repetition() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(pick("b", None, 2), (names(&["b", "b-1"]), true));
        assert_eq!(pick("b", Some("b-1"), 2), (names(&["b-10", "b-2"]), true));
        assert_eq!(pick("b", Some("b-2"), 2), (names(&["b-3"]), false));
        assert_eq!(pick("b", Some("b-10"), 2), (names(&["b-2", "b-3"]), false));
        assert_eq!(pick("", None, 2), (names(&["B", "a"]), true));
        assert_eq!(pick("é", None, 9), (names(&["é"]), false));
    }
}
