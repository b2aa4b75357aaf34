//! Proof that the account is usable: login, container, and an object that is stored, read back, found in the listing and
//! deleted, each in the way of a real one.
//!
//! Nothing stays behind, on failure neither; what a check leaves that was killed in the middle, Swift deletes after an hour by
//! `X-Delete-After`. A listing may lag behind in a busy cluster: a canary that is not in it yet is a warning.

use cofferdam_driver::http::encode;
use cofferdam_driver::wasip2::random::random::get_random_bytes;
use cofferdam_driver::{Error, ObjectAddress, log};

use crate::call::Call;
use crate::listing::Asked;
use crate::session::Session;
use crate::{containers, objects};

const PREFIX: &str = ".cofferdam-canary-";
/// Bytes that are read of the canary at most.
const LONGEST_TEXT: usize = 4096;

pub(crate) fn check(session: &mut Session) -> Result<(), Error> {
    session.ready()?;
    let container = session.config().container.clone();
    containers::create(session, &container)?;
    let at = ObjectAddress {
        container,
        name: format!("{PREFIX}{}", encode::hex(&get_random_bytes(8))),
    };
    let flown = fly(session, &at);
    let cleared = objects::delete(session, &at);
    // The first failure is the cause; the second is only its echo.
    flown.and(cleared)?;
    match objects::stat(session, &at) {
        Err(Error::NotFound(_)) => Ok(()),
        Ok(_) => Err(Error::failed(format!(
            "the canary {} of the container {} is still there after it was deleted",
            at.name, at.container
        ))),
        Err(error) => Err(error),
    }
}

fn fly(session: &mut Session, at: &ObjectAddress) -> Result<(), Error> {
    let text = format!("cofferdam canary {}\n", encode::hex(&get_random_bytes(8)));
    objects::put_fleeting(session, at, text.as_bytes())?;
    if read(session, at)? != text.as_bytes() {
        return Err(Error::corrupted(format!(
            "the canary in the container {} was read back with other bytes than were written",
            at.container
        )));
    }
    let asked = Asked {
        prefix: &at.name,
        after: None,
        limit: 1,
    };
    if objects::list(session, &at.container, &asked)?.objects.is_empty() {
        log::warn(format!(
            "the listing of the container {} does not hold a new object yet: its listings lag behind",
            at.container
        ));
    }
    Ok(())
}

fn read(session: &mut Session, at: &ObjectAddress) -> Result<Vec<u8>, Error> {
    use cofferdam_driver::http::Method;

    let what = format!("read the canary of the container {}", at.container);
    let call = Call::new(Method::Get, Some(&at.container), Some(&at.name), what);
    let response = session.send(&call)?;
    if !response.is_success() {
        return Err(call.error(&response));
    }
    response.bytes(LONGEST_TEXT)
}
