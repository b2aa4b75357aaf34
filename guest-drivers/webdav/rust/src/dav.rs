//! Requests to the server, and the URLs of containers and objects in it.
//!
//! Bound: nothing is sent twice and no redirect is followed. What a server says of a collection is read as it comes, so memory
//! does not depend on how much is in it.

use std::io::BufReader;

use cofferdam_driver::http::{Method, Request, Response, Url, encode};
use cofferdam_driver::{Error, ObjectAddress, names};

use crate::multistatus::{self, Entry};

/// The two properties of which a driver lives. Naming them spares the server the others.
const WANTED: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<propfind xmlns=\"DAV:\"><prop><getcontentlength/><resourcetype/></prop></propfind>";

/// The server, as the settings name it.
pub(crate) struct Dav {
    root: Url,
    authorization: Option<String>,
}

/// What stands under a URL.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    Collection,
    /// A plain resource of so many bytes.
    Resource(u64),
}

impl Dav {
    pub(crate) fn new(root: Url, authorization: Option<String>) -> Self {
        Self { root, authorization }
    }

    /// The collection of the containers.
    pub(crate) fn root(&self) -> Url {
        self.root.join("")
    }

    /// A container's collection, with a `/` at its end: some servers redirect without.
    pub(crate) fn container(&self, container: &str) -> Url {
        self.root.join(&format!("{}/", encode::percent(container)))
    }

    pub(crate) fn object(&self, container: &str, name: &str) -> Url {
        self.root.join(&format!(
            "{}/{}",
            encode::percent(container),
            encode::percent(name)
        ))
    }

    pub(crate) fn request(&self, method: Method, url: Url) -> Request {
        let request = Request::new(method, url);
        match &self.authorization {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        }
    }

    /// What stands under the URL. `what` completes "cannot ...".
    pub(crate) fn find(&self, url: Url, what: &str) -> Result<Found, Error> {
        let path = url.path().to_owned();
        let Some(response) = self.ask("0", url, what)? else {
            return Ok(Found::Nothing);
        };
        let mut found = None;
        each(response, what, |entry| {
            if below(&path, &entry.path).as_deref() != Some("") || found.is_some() {
                return Err(unasked(what));
            }
            found = Some(entry.found);
            Ok(())
        })?;
        found.ok_or_else(|| unasked(what))
    }

    /// Tells `take` the name of each member of the collection, in no order; no success before all were told. False when there is
    /// no such collection.
    pub(crate) fn each_member(
        &self,
        url: Url,
        what: &str,
        mut take: impl FnMut(String, Found),
    ) -> Result<bool, Error> {
        let path = url.path().to_owned();
        let Some(response) = self.ask("1", url, what)? else {
            return Ok(false);
        };
        let mut itself = None;
        each(response, what, |entry| {
            match below(&path, &entry.path).ok_or_else(|| unasked(what))? {
                name if name.is_empty() => itself = Some(entry.found),
                name if name.contains('/') => return Err(unasked(what)),
                name => take(name, entry.found),
            }
            Ok(())
        })?;
        match itself {
            Some(Found::Collection) => Ok(true),
            Some(Found::Nothing) => Ok(false),
            Some(Found::Resource(_)) => Err(Error::failed(format!(
                "cannot {what}: a plain resource stands in the place of the collection"
            ))),
            // Without the collection itself it is no listing of it.
            None => Err(unasked(what)),
        }
    }

    fn ask(&self, depth: &str, url: Url, what: &str) -> Result<Option<Response>, Error> {
        let response = self
            .request(Method::Other("PROPFIND".to_owned()), url)
            .header("depth", depth)
            .header("content-type", "application/xml; charset=utf-8")
            .header("accept-encoding", "identity")
            .send_bytes(WANTED.as_bytes())?;
        match response.status() {
            207 => Ok(Some(response)),
            404 | 410 => Ok(None),
            // No other success says what was asked.
            status if response.is_success() => Err(Error::failed(format!(
                "cannot {what}: {} answered {status} to PROPFIND: is it a WebDAV server?",
                response.origin()
            ))),
            405 | 501 => Err(Error::failed(format!(
                "cannot {what}: {} does not know PROPFIND there: is it a WebDAV server?",
                response.origin()
            ))),
            _ => Err(response.error(what, None)),
        }
    }
}

fn each(response: Response, what: &str, take: impl FnMut(Entry) -> Result<(), Error>) -> Result<(), Error> {
    multistatus::read(
        BufReader::new(multistatus::Rationed::new(response.reader()?)),
        what,
        take,
    )
}

/// The way from a collection to a resource, decoded, without the `/` at a collection's end; empty for the collection itself.
/// `None` when the resource is not in it, or has a name that is not UTF-8.
fn below(collection: &str, path: &str) -> Option<String> {
    let decoded = |path: &str| encode::percent_decode(path, false);
    let (collection, path) = (decoded(collection)?, decoded(path)?);
    let rest = path.strip_prefix(collection.trim_end_matches('/'))?;
    match rest.strip_prefix('/') {
        Some(rest) => Some(rest.strip_suffix('/').unwrap_or(rest).to_owned()),
        None => rest.is_empty().then(String::new),
    }
}

fn unasked(what: &str) -> Error {
    Error::failed(format!(
        "cannot {what}: the server told of other resources than were asked for"
    ))
}

/// Refuses an object whose URL would be another's, or whose name is kept for unfinished objects.
pub(crate) fn check(at: &ObjectAddress) -> Result<(), Error> {
    check_container(&at.container)?;
    names::check_object(&at.name)
}

/// Refuses a container that is not one safe segment.
pub(crate) fn check_container(container: &str) -> Result<(), Error> {
    names::check_folder(container)?;
    if container.contains('/') {
        let shown: String = container.chars().take(80).collect();
        return Err(Error::unsupported(format!(
            "the container {shown:?} is refused: it holds a `/`, and here containers have no containers in them"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_encoded_segment_each() {
        for root in ["http://h:8080/dav", "http://h:8080/dav/"] {
            let dav = Dav::new(Url::parse(root).unwrap(), None);
            assert_eq!(dav.root().path(), "/dav/");
            assert_eq!(dav.container("a b").path(), "/dav/a%20b/");
            assert_eq!(dav.object("c", "é%2F#?;").path(), "/dav/c/%C3%A9%252F%23%3F%3B");
        }
        assert_eq!(Dav::new(Url::parse("http://h").unwrap(), None).root().path(), "/");
    }

    #[test]
    fn what_is_told_is_placed_by_its_decoded_path() {
        for (collection, path, rest) in [
            ("/dav/c/", "/dav/c/", Some("")),
            ("/dav/c/", "/dav/c", Some("")),
            ("/dav/c/", "/dav/c/x%20%c3%a9", Some("x é")),
            ("/dav/%63/", "/dav/c/d/", Some("d")),
            ("/dav/c/", "/dav/c/d/e", Some("d/e")),
            ("/dav/c/", "/dav/cc", None),
            ("/dav/c/", "/other/c/x", None),
            ("/dav/c/", "/dav/c/%ff", None),
            ("/", "/x", Some("x")),
            ("/", "/", Some("")),
        ] {
            assert_eq!(below(collection, path).as_deref(), rest, "{collection} {path}");
        }
    }

    #[test]
    fn a_container_is_one_segment() {
        for good in ["volumebackups", "a b", "é", "%2e%2e"] {
            check_container(good).unwrap();
        }
        for wrong in [
            "",
            ".",
            "..",
            "a/b",
            "/a",
            "a/",
            ".cofferdam-x",
            "a\nb",
            &"x".repeat(256),
        ] {
            check_container(wrong).unwrap_err();
        }
    }
}
