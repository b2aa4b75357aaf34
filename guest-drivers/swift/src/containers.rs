//! Containers: made when missing, listed, looked at.

use cofferdam_driver::http::Method;
use cofferdam_driver::{ContainerPage, Error};

use crate::call::Call;
use crate::listing::{self, Asked};
use crate::objects::page;
use crate::options;
use crate::placement::check_container;
use crate::session::Session;

/// Makes the container unless it is there.
///
/// Source: cinder/backup/drivers/swift.py, `put_container`: a look, and a PUT after a 404, with the policy if one is set.
pub(crate) fn create(session: &mut Session, container: &str) -> Result<(), Error> {
    if exists(session, container)? {
        return Ok(());
    }
    let mut call = Call::new(
        Method::Put,
        Some(container),
        None,
        format!("make the container {container}"),
    );
    let policy = session.config().storage_policy.clone();
    if let Some(policy) = &policy {
        call = call.header("x-storage-policy", policy);
    }
    let response = session.send(&call)?;
    match response.status() {
        200..=299 => Ok(()),
        400 if policy.is_some() => Err(Error::invalid_configuration(
            options::STORAGE_POLICY,
            format!(
                "the server made no container {container} with it (400): it does not know the policy, or takes it no more"
            ),
        )),
        _ => Err(call.error(&response)),
    }
}

pub(crate) fn exists(session: &mut Session, container: &str) -> Result<bool, Error> {
    check_container(container).map_err(Error::unsupported)?;
    let call = Call::new(
        Method::Head,
        Some(container),
        None,
        format!("look at the container {container}"),
    );
    let response = session.send(&call)?;
    match response.status() {
        200..=299 => Ok(true),
        404 => Ok(false),
        _ => Err(call.error(&response)),
    }
}

/// All containers of the account. A user who may use some but not list them has the configured one.
pub(crate) fn list(session: &mut Session, asked: &Asked<'_>) -> Result<ContainerPage, Error> {
    match page(session, None, asked) {
        Ok(body) => listing::containers(&body, asked),
        // Without a right to the container either, the look at it is refused, and that is told.
        Err(Error::Unauthorized(_)) if exists(session, &session.config().container.clone())? => {
            Ok(listing::only(&session.config().container, asked.after))
        }
        Err(error) => Err(error),
    }
}
