//! Single objects: put in one piece, stat, delete. A put replaces what was there in one step: S3 shows an object only
//! when it has all of it.

use cofferdam_driver::http::{Method, Response};
use cofferdam_driver::{BodyInfo, Error, InputStream, ObjectAddress};

use crate::client::Call;
use crate::config::Config;
use crate::{encryption, failure, integrity, multipart, names};

/// Where the bytes of a put come from.
pub(crate) enum Body<'a> {
    Stream(&'a InputStream),
    Bytes(&'a [u8]),
}

/// Stores the body under the name, in parts when it is great.
pub(crate) fn put(
    config: &Config,
    at: &ObjectAddress,
    body: &Body<'_>,
    info: &BodyInfo,
) -> Result<(), Error> {
    names::check_key(&at.name)?;
    let size = info
        .size
        .ok_or_else(|| Error::failed("the host did not give the size of the object's body"))?;
    match body {
        Body::Stream(stream) if size > config.multipart_threshold => {
            multipart::put(config, at, stream, size, info)
        }
        _ => put_whole(config, at, body, size, info),
    }
}

fn put_whole(
    config: &Config,
    at: &ObjectAddress,
    body: &Body<'_>,
    size: u64,
    info: &BodyInfo,
) -> Result<(), Error> {
    let what = shown(at);
    let mut headers = encryption::making(config)?;
    headers.extend(integrity::announce(config, info)?);
    let payload = info
        .sha256
        .clone()
        .ok_or_else(|| Error::failed("the host did not give the SHA-256 of the object's body"))?;
    let call = Call {
        headers,
        payload,
        ..Call::new(Method::Put, &at.container, &at.name)
    };
    let request = config.client.request(call)?;
    let response = match body {
        Body::Stream(stream) => request.send_stream(stream, size)?,
        Body::Bytes(bytes) => request.send_bytes(bytes)?,
    };
    if !response.is_success() {
        return Err(failure::refused(response, &format!("put {what}")));
    }
    integrity::check(config, response.headers(), info.md5.as_deref(), &what)
}

/// The stored bytes.
pub(crate) fn size(config: &Config, at: &ObjectAddress) -> Result<u64, Error> {
    names::check_key(&at.name)?;
    let call = Call {
        headers: encryption::using(config)?,
        ..Call::new(Method::Head, &at.container, &at.name)
    };
    let response = config.client.request(call)?.send()?;
    if !response.is_success() {
        return Err(failure::refused(response, &format!("look at {}", shown(at))));
    }
    length(&response, at)
}

/// Deletes the object; one that is not there is deleted already.
pub(crate) fn delete(config: &Config, at: &ObjectAddress) -> Result<(), Error> {
    names::check_key(&at.name)?;
    let call = Call::new(Method::Delete, &at.container, &at.name);
    let response = config.client.request(call)?.send()?;
    if response.is_success() {
        return Ok(());
    }
    if response.status() != 404 {
        return Err(failure::refused(response, &format!("delete {}", shown(at))));
    }
    drop(response);
    // A storage that is half away says so of what is there.
    match size(config, at) {
        Err(Error::NotFound(_)) => Ok(()),
        Ok(_) => Err(Error::unavailable(format!(
            "cannot delete {}: the storage said that it is not there (404), and then that it is",
            shown(at)
        ))),
        Err(error) => Err(error),
    }
}

/// The length that the answer announces.
pub(crate) fn length(response: &Response, at: &ObjectAddress) -> Result<u64, Error> {
    response
        .content_length()
        .ok_or_else(|| Error::failed(format!("the storage did not say how long {} is", shown(at))))
}

pub(crate) fn shown(at: &ObjectAddress) -> String {
    format!("the object {} of the bucket {}", at.name, at.container)
}
