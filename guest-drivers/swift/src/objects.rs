//! Objects: stored, fetched, looked at, deleted, listed.
//!
//! A put is checked three times: Swift compares what arrived with the length and the MD5 (`ETag`) that were announced and keeps
//! nothing else, and its own MD5 in the answer must be the same. A get is checked to be the range that was asked for and whole;
//! whether the bytes are right, the host knows better. Bound: of a listing one page, at most 8 MiB of JSON.

use cofferdam_driver::http::{Method, Request, Response, encode, range};
use cofferdam_driver::{
    BodyInfo, ByteRange, Error, InputStream, ObjectAddress, ObjectInfo, OutputStream, Page,
};

use crate::call::Call;
use crate::containers;
use crate::listing::{self, Asked};
use crate::placement::{check_container, check_object};
use crate::session::Session;

/// Bytes of JSON that a page may have: 10,000 objects with names of 400 bytes.
const LONGEST_LISTING: usize = 8 << 20;
const MD5_DIGITS: usize = 32;

pub(crate) fn put(
    session: &mut Session,
    at: &ObjectAddress,
    body: &InputStream,
    info: &BodyInfo,
) -> Result<(), Error> {
    let (Some(size), Some(md5)) = (info.size, info.md5.as_deref().filter(|md5| is_md5(md5))) else {
        return Err(Error::failed(
            "the host did not tell size and MD5 of the object, which this driver needs",
        ));
    };
    let call = call(Method::Put, at, "store")?
        .header("etag", md5)
        .header("content-type", "application/octet-stream");
    let response = session.send_once(&call, |request| request.send_stream(body, size))?;
    check_put(session, at, &call, &response, md5)
}

/// Stores a few bytes of the driver's own, which Swift deletes by itself after an hour.
pub(crate) fn put_fleeting(session: &mut Session, at: &ObjectAddress, bytes: &[u8]) -> Result<(), Error> {
    let call = call(Method::Put, at, "store")?.header("x-delete-after", "3600");
    let response = session.send_once(&call, |request: Request| request.send_bytes(bytes))?;
    if response.is_success() {
        return Ok(());
    }
    Err(call.error(&response))
}

fn check_put(
    session: &mut Session,
    at: &ObjectAddress,
    call: &Call<'_>,
    response: &Response,
    md5: &str,
) -> Result<(), Error> {
    match response.status() {
        200..=299 => {}
        422 => {
            return Err(Error::failed(format!(
                "cannot {}: other bytes arrived than were sent (422), so nothing was stored",
                call.what
            )));
        }
        _ => return Err(call.error(response)),
    }
    let stored = response.header("etag").map(|etag| etag.trim_matches('"'));
    if stored.is_some_and(|stored| stored.eq_ignore_ascii_case(md5)) {
        return Ok(());
    }
    // After a failure nothing may be left under the name. That it could not be deleted adds nothing to what is told.
    let _ = delete(session, at);
    let found = stored.filter(|stored| is_md5(stored)).unwrap_or("none");
    Err(Error::corrupted(format!(
        "cannot {}: it was sent with the MD5 {md5}, and the server answered with {found}",
        call.what
    )))
}

pub(crate) fn get(
    session: &mut Session,
    at: &ObjectAddress,
    range: Option<ByteRange>,
    sink: &OutputStream,
) -> Result<u64, Error> {
    if range.is_some_and(|range| range.length == Some(0)) {
        return stat(session, at).map(|_| 0);
    }
    let mut call = call(Method::Get, at, "read")?.header("accept-encoding", "identity");
    if let Some(range) = range::header(range) {
        call = call.header("range", range);
    }
    let response = session.send(&call)?;
    if !matches!(response.status(), 200..=299 | 416) {
        return Err(call.error(&response));
    }
    match range::length(response.status(), response.headers(), range) {
        Ok(0) => Ok(0),
        Ok(length) => response.pipe_into(sink, length),
        Err(reason) => Err(Error::failed(format!("cannot {}: {reason}", call.what))),
    }
}

pub(crate) fn stat(session: &mut Session, at: &ObjectAddress) -> Result<ObjectInfo, Error> {
    let call = call(Method::Head, at, "look at")?;
    let response = session.send(&call)?;
    if !response.is_success() {
        return Err(call.error(&response));
    }
    let size = response.content_length();
    Ok(ObjectInfo {
        name: at.name.clone(),
        size: size
            .ok_or_else(|| Error::failed(format!("cannot {}: the server told no length", call.what)))?,
    })
}

pub(crate) fn delete(session: &mut Session, at: &ObjectAddress) -> Result<(), Error> {
    let call = call(Method::Delete, at, "delete")?;
    let response = session.send(&call)?;
    match response.status() {
        200..=299 => Ok(()),
        404 => absent(session, at, &call),
        _ => Err(call.error(&response)),
    }
}

/// What a 404 to a delete means. A proxy that cannot reach those that keep the containers answers so too, though the object is
/// there (swift/proxy/controllers/obj.py); so it counts only when the container is not there, or is and the object is not.
fn absent(session: &mut Session, at: &ObjectAddress, call: &Call<'_>) -> Result<(), Error> {
    if !containers::exists(session, &at.container)? {
        return Ok(());
    }
    match stat(session, at) {
        Err(Error::NotFound(_)) => Ok(()),
        Ok(_) => Err(Error::unavailable(format!(
            "cannot {}: the server said that it is not there (404), and then that it is: a part of the cluster is away",
            call.what
        ))),
        Err(error) => Err(error),
    }
}

pub(crate) fn list(session: &mut Session, container: &str, asked: &Asked<'_>) -> Result<Page, Error> {
    check_container(container).map_err(Error::unsupported)?;
    listing::objects(&page(session, Some(container), asked)?, asked)
}

/// The JSON of one page of a container's objects, or of the account's containers.
pub(crate) fn page(
    session: &mut Session,
    container: Option<&str>,
    asked: &Asked<'_>,
) -> Result<Vec<u8>, Error> {
    let what = match container {
        Some(container) => format!("list the container {container}"),
        None => "list the containers".to_owned(),
    };
    let limit = asked.limit.to_string();
    let mut query = vec![("format", "json")];
    query.extend(Some(("prefix", asked.prefix)).filter(|(_, prefix)| !prefix.is_empty()));
    query.extend(asked.after.map(|after| ("marker", after)));
    let unlimited = encode::query(&query);
    query.push(("limit", &limit));
    let call = Call::new(Method::Get, container, None, what).query(encode::query(&query));
    let mut response = session.send(&call)?;
    if response.status() == 412 {
        // The cluster gives less than this at a time. Without a limit it gives what it can.
        drop(response);
        let what = call.what.clone();
        response = session.send(&Call::new(Method::Get, container, None, what).query(unlimited))?;
    }
    if !response.is_success() {
        return Err(call.error(&response));
    }
    // The one answer without a body that means: no names.
    if response.status() == 204 {
        return Ok(b"[]".to_vec());
    }
    response.bytes(LONGEST_LISTING)
}

fn call<'a>(method: Method, at: &'a ObjectAddress, verb: &str) -> Result<Call<'a>, Error> {
    check_container(&at.container).map_err(Error::unsupported)?;
    check_object(&at.name)?;
    let what = format!("{verb} the object {} of the container {}", at.name, at.container);
    Ok(Call::new(method, Some(&at.container), Some(&at.name), what))
}

fn is_md5(text: &str) -> bool {
    text.len() == MD5_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
