//! Proof that the server is usable: a container and an object are made, read back, compared and deleted, each in the way of a real
//! one, so that whatever would stop a backup stops the canary.
//!
//! Nothing stays behind, on failure neither; only a check that is killed in the middle leaves its collection, whose name begins
//! with `.cofferdam-canary-` and which no listing of containers shows.

use cofferdam_driver::http::encode;
use cofferdam_driver::wasip2::random::random::get_random_bytes;
use cofferdam_driver::{Error, ObjectAddress};

use crate::dav::Dav;
use crate::{containers, objects};

/// Bytes that are read of the canary at most.
const LONGEST_TEXT: usize = 4096;

pub(crate) fn check(dav: &Dav) -> Result<(), Error> {
    containers::root(dav)?;
    let at = ObjectAddress {
        container: format!(".cofferdam-canary-{}", encode::hex(&get_random_bytes(8))),
        name: "canary".to_owned(),
    };
    let flown = fly(dav, &at);
    let cleared = objects::remove(dav, dav.container(&at.container), "delete the canary's container");
    // The first failure is the cause; the second is only its echo.
    flown.and(cleared.map(drop))
}

fn fly(dav: &Dav, at: &ObjectAddress) -> Result<(), Error> {
    let text = format!("cofferdam canary {}\n", encode::hex(&get_random_bytes(8)));
    containers::create(dav, &at.container)?;
    objects::put(dav, at, |request| {
        Ok((request.send_bytes(text.as_bytes())?, Some(text.len() as u64)))
    })?;
    let response = objects::fetch(dav, at, None)?;
    if !response.is_success() {
        return Err(response.error("read the canary", None));
    }
    if response.bytes(LONGEST_TEXT)? != text.as_bytes() {
        return Err(Error::corrupted(
            "the canary was read back with other bytes than were written",
        ));
    }
    objects::delete(dav, at)?;
    match objects::size(dav, at) {
        Err(Error::NotFound(_)) => Ok(()),
        Ok(_) => Err(Error::failed("the canary is still there after it was deleted")),
        Err(error) => Err(error),
    }
}
