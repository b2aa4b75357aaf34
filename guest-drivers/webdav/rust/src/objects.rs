//! Objects: stored, fetched, looked at, deleted.
//!
//! Problem: WebDAV does not promise that a PUT that breaks leaves what was there. Solved by a PUT to a hidden name, a look whether
//! all of it arrived, and a MOVE to the object's name, after which it is whole under its name; whatever fails, the hidden resource is deleted. The
//! next put or delete of the object clears away what a killed one left. Whether the bytes are right, the host knows better.
//!
//! Some servers (Apache's mod_dav) do a MOVE onto what is there in two steps, and in between nothing is under the name. So that an
//! object is not there is believed only after a second look, without a pause: a reader meets the old object or the new one, but for a
//! storm of replacements. Names of backups are never used twice, so this is rare.
//!
//! Cost: three requests for a put or a delete, one for the rest, two or three for what is not there.

use cofferdam_driver::http::{Method, Request, Response, Url, range};
use cofferdam_driver::{ByteRange, Error, ObjectAddress, OutputStream, log, names};

use crate::containers;
use crate::dav::{Dav, Found};

/// Stores what `send` sends with the request that it is given; it says how many bytes that were.
pub(crate) fn put(
    dav: &Dav,
    at: &ObjectAddress,
    send: impl FnOnce(Request) -> Result<(Response, Option<u64>), Error>,
) -> Result<(), Error> {
    let part = dav.object(&at.container, &names::part(&at.name));
    let stored = upload(dav, at, part.clone(), send).and_then(|()| publish(dav, at, part.clone()));
    if stored.is_err()
        && let Err(error) = remove(dav, part, "clear away an unfinished put")
    {
        log::warn(format!("the unfinished put of {} stays: {error:?}", at.name));
    }
    stored
}

fn upload(
    dav: &Dav,
    at: &ObjectAddress,
    part: Url,
    send: impl FnOnce(Request) -> Result<(Response, Option<u64>), Error>,
) -> Result<(), Error> {
    let what = shown("store", at);
    let request = dav
        .request(Method::Put, part.clone())
        .header("content-type", "application/octet-stream");
    let (response, sent) = send(request)?;
    match response.status() {
        200 | 201 | 204 => {}
        // RFC 4918, 9.7.1: a PUT into a collection that is not there.
        409 => {
            return Err(Error::not_found(format!(
                "there is no container {}",
                at.container
            )));
        }
        _ => return Err(refused(&response, &what)),
    }
    drop(response);
    match (dav.find(part, &what)?, sent) {
        (Found::Resource(there), Some(sent)) if there == sent => Ok(()),
        (Found::Resource(there), sent) => Err(Error::failed(format!(
            "cannot {what}: {sent:?} bytes were sent, and the server has {there}"
        ))),
        _ => Err(Error::failed(format!(
            "cannot {what}: another put or delete of it came in between"
        ))),
    }
}

/// Gives the whole resource its name.
fn publish(dav: &Dav, at: &ObjectAddress, part: Url) -> Result<(), Error> {
    let what = shown("name", at);
    let to = dav.object(&at.container, &at.name);
    let response = dav
        .request(Method::Other("MOVE".to_owned()), part)
        .header("destination", format!("{}{}", to.origin(), to.path()))
        .header("overwrite", "T")
        .send()?;
    match response.status() {
        201 | 204 => Ok(()),
        _ => Err(refused(&response, &what)),
    }
}

pub(crate) fn get(
    dav: &Dav,
    at: &ObjectAddress,
    range: Option<ByteRange>,
    sink: &OutputStream,
) -> Result<u64, Error> {
    // HTTP has no word for a range of no bytes.
    if range.is_some_and(|range| range.length == Some(0)) {
        return size(dav, at).map(|_| 0);
    }
    let what = shown("read", at);
    let response = fetch_surely(dav, at, range)?;
    if !matches!(response.status(), 200..=299 | 416) {
        return Err(refused(&response, &what));
    }
    match range::length(response.status(), response.headers(), range) {
        Ok(0) => Ok(0),
        Ok(length) => response.pipe_into(sink, length),
        Err(reason) => Err(Error::failed(format!("cannot {what}: {reason}"))),
    }
}

/// The answer to a GET, that nothing is there only after another look. A 403 is what mod_dav says of a file that goes while it is
/// opened.
fn fetch_surely(dav: &Dav, at: &ObjectAddress, range: Option<ByteRange>) -> Result<Response, Error> {
    let response = fetch(dav, at, range)?;
    if !matches!(response.status(), 403 | 404) {
        return Ok(response);
    }
    drop(response);
    size(dav, at)?;
    fetch(dav, at, range)
}

/// The answer to a GET, whatever it is.
pub(crate) fn fetch(dav: &Dav, at: &ObjectAddress, range: Option<ByteRange>) -> Result<Response, Error> {
    let mut request = dav
        .request(Method::Get, dav.object(&at.container, &at.name))
        .header("accept-encoding", "identity");
    if let Some(range) = range::header(range) {
        request = request.header("range", range);
    }
    request.send()
}

pub(crate) fn size(dav: &Dav, at: &ObjectAddress) -> Result<u64, Error> {
    let (object, what) = (dav.object(&at.container, &at.name), shown("look at", at));
    let found = match dav.find(object.clone(), &what)? {
        Found::Nothing => dav.find(object, &what)?,
        found => found,
    };
    match found {
        Found::Resource(size) => Ok(size),
        Found::Collection => Err(Error::not_found(format!(
            "{} of the container {} is a collection, and so no object",
            at.name, at.container
        ))),
        Found::Nothing => Err(Error::not_found(format!(
            "there is no {} in the container {}",
            at.name, at.container
        ))),
    }
}

/// Deletes the object and what an unfinished put of it left. What stands under the name and is a collection is no object and stays.
pub(crate) fn delete(dav: &Dav, at: &ObjectAddress) -> Result<(), Error> {
    let what = shown("delete", at);
    let object = dav.object(&at.container, &at.name);
    // First, so that whoever meets a failure deletes again and finds both.
    remove(dav, dav.object(&at.container, &names::part(&at.name)), &what)?;
    // A DELETE of a collection would take all that is in it.
    match dav.find(object.clone(), &what)? {
        Found::Resource(_) => {}
        Found::Collection => return Ok(()),
        // A root that is gone says so of everything, and may come back.
        Found::Nothing => return containers::root(dav),
    }
    if remove(dav, object.clone(), &what)? {
        return Ok(());
    }
    // A storage that is half away says that nothing is there, of what is.
    match dav.find(object, &what)? {
        Found::Nothing => Ok(()),
        _ => Err(Error::unavailable(format!(
            "cannot {what}: the server said that it is not there (404), and then that it is"
        ))),
    }
}

/// Deletes a resource, or a collection with all in it; false when the server says that nothing was there.
pub(crate) fn remove(dav: &Dav, url: Url, what: &str) -> Result<bool, Error> {
    let response = dav.request(Method::Delete, url).send()?;
    match response.status() {
        200 | 204 => Ok(true),
        404 | 410 => Ok(false),
        _ => Err(refused(&response, what)),
    }
}

/// What an answer means that is not the success that was expected. 207 and 202 are no failures by their number, but they do not
/// say either that it was done.
fn refused(response: &Response, what: &str) -> Error {
    if response.is_success() {
        return Error::failed(format!(
            "cannot {what}: the server answered {}",
            response.status()
        ));
    }
    match response.status() {
        423 => Error::unavailable(format!("cannot {what}: it is locked (423)")),
        _ => response.error(what, None),
    }
}

fn shown(verb: &str, at: &ObjectAddress) -> String {
    format!("{verb} the object {} of the container {}", at.name, at.container)
}
