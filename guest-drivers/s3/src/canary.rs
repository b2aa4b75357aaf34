//! Proof that the bucket is usable: an object is put, read back, compared, listed and deleted, each in the way of a real
//! one. It needs rights on the one bucket only; Cinder lists all buckets of the account instead, and writes nothing.
//!
//! Nothing stays behind, on failure neither. Only a check that is killed in the middle leaves its object; the next check
//! deletes such objects once they are an hour old.

use cofferdam_driver::http::encode::hex;
use cofferdam_driver::http::{Method, time};
use cofferdam_driver::wasip2::random::random::get_random_u64;
use cofferdam_driver::{BodyInfo, Error, ObjectAddress, log};
use md5::{Digest, Md5};

use crate::client::Call;
use crate::config::Config;
use crate::list::{Question, entries};
use crate::object::{self, Body};
use crate::{bucket, encryption, failure, multipart, sigv4};

const NAME: &str = ".cofferdam-canary-";
const LONGEST: usize = 4096;
const ABANDONED_AFTER_SECONDS: u64 = 3600;

/// Makes the bucket if it is missing, flies a canary in it, and clears away what killed calls left.
pub(crate) fn check(config: &Config) -> Result<(), Error> {
    bucket::create(config, &config.bucket)?;
    let at = ObjectAddress {
        container: config.bucket.clone(),
        name: format!("{NAME}{:016x}", get_random_u64()),
    };
    let flown = fly(config, &at);
    let cleared = object::delete(config, &at);
    // The first failure is the cause; the second is only its echo.
    flown.and(cleared)?;
    sweep(config);
    multipart::sweep(config, &config.bucket);
    Ok(())
}

fn fly(config: &Config, at: &ObjectAddress) -> Result<(), Error> {
    let text = format!("cofferdam canary {:016x}\n", get_random_u64());
    object::put(config, at, &Body::Bytes(text.as_bytes()), &info(text.as_bytes())).map_err(|error| {
        match error {
            Error::Unauthorized(text) => {
                Error::unauthorized(format!("the bucket can be seen, but not written to: {text}"))
            }
            other => other,
        }
    })?;
    if read(config, at)? != text.as_bytes() {
        return Err(Error::corrupted(format!(
            "the canary in the bucket {} was read back with other bytes than were written",
            at.container
        )));
    }
    let question = Question {
        prefix: &at.name,
        after: None,
        limit: 1,
    };
    let (found, _) = entries(config, &at.container, &question)?;
    if found
        .iter()
        .any(|entry| entry.info.name == at.name && entry.info.size == text.len() as u64)
    {
        return Ok(());
    }
    Err(Error::unavailable(format!(
        "the canary in the bucket {} was written, but a listing does not show it",
        at.container
    )))
}

fn read(config: &Config, at: &ObjectAddress) -> Result<Vec<u8>, Error> {
    let call = Call {
        headers: encryption::using(config)?,
        ..Call::new(Method::Get, &at.container, &at.name)
    };
    let response = config.client.request(call)?.send()?;
    if !response.is_success() {
        return Err(failure::refused(
            response,
            &format!("read back {}", object::shown(at)),
        ));
    }
    response.bytes(LONGEST)
}

/// Deletes what killed checks left. Whatever goes wrong here says nothing about the storage, so it is passed over.
fn sweep(config: &Config) {
    let question = Question {
        prefix: NAME,
        after: None,
        limit: 1000,
    };
    let Ok((found, _)) = entries(config, &config.bucket, &question) else {
        return;
    };
    let before = time::now().saturating_sub(ABANDONED_AFTER_SECONDS);
    for entry in found {
        if entry.written.is_none_or(|written| written >= before) {
            continue;
        }
        let at = ObjectAddress {
            container: config.bucket.clone(),
            name: entry.info.name,
        };
        match object::delete(config, &at) {
            Ok(()) => log::info(format!("deleted the abandoned canary {}", at.name)),
            Err(error) => log::warn(format!("the abandoned canary {} stays: {error:?}", at.name)),
        }
    }
}

/// What the host would say of such a body.
fn info(body: &[u8]) -> BodyInfo {
    BodyInfo {
        size: Some(body.len() as u64),
        md5: Some(hex(&Md5::digest(body))),
        sha256: Some(sigv4::sha256(body)),
        crc32c: Some(crc32c(body)),
    }
}

/// A bit at a time: the canary is short.
fn crc32c(body: &[u8]) -> u32 {
    let bit = |crc: u32, _| {
        if crc & 1 == 1 {
            crc >> 1 ^ 0x82f6_3b78
        } else {
            crc >> 1
        }
    };
    !body
        .iter()
        .fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), bit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canarys_digests_are_what_the_host_would_give() {
        let info = info(b"123456789");
        assert_eq!(info.crc32c, Some(0xe306_9283));
        assert_eq!(info.md5.as_deref(), Some("25f9e794323b453885f5181f1b624d0b"));
        assert_eq!(info.size, Some(9));
    }
}
