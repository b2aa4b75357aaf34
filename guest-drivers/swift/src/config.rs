//! The settings, checked: what is missing, ill-formed or contradictory is refused here and names its option. Pure.
//!
//! Combinations are refused that Swift's clients pass over in silence, because each is the trace of a mistake: domains or a
//! region with version 1, an auth URL of one version with another, a password beside an application credential.

mod credentials;

use std::time::Duration;

use cofferdam_driver::http::{Timeouts, Url};
use cofferdam_driver::{Error, Settings};

use crate::catalog::Wanted;
use crate::options;
use crate::placement::{Portions, check_container};

pub(crate) use credentials::{Credentials, Identity, Keystone};
use credentials::{OWN, SERVICE, application};

/// All that the driver does depends on.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) identity: Identity,
    /// Who vouches with a token of its own, if anyone.
    pub(crate) service: Option<Identity>,
    /// The account's URL, when it is not for the login to tell.
    pub(crate) account: Option<Url>,
    pub(crate) wanted: Wanted,
    pub(crate) container: String,
    pub(crate) storage_policy: Option<String>,
    pub(crate) timeouts: Timeouts,
    pub(crate) portions: Portions,
}

impl Config {
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self, Error> {
        check_single_user(settings)?;
        let auth_url = settings.required_url(options::AUTH_URL)?;
        let application = application(settings)?;
        let version = version(settings, &auth_url, application.is_some())?;
        let credentials = match application {
            Some(application) => application,
            None => OWN.credentials(settings, version)?,
        };
        if version == 1 {
            absent(settings, &[options::REGION], "version 1 has no catalog")?;
        }
        let url = versioned(auth_url, version);
        let service = match settings.boolean(options::SERVICE_AUTH)? {
            Some(true) => Some(Identity {
                url: url.clone(),
                credentials: SERVICE.credentials(settings, version)?,
            }),
            Some(false) | None => None,
        };
        let container =
            text(settings, options::CONTAINER)?.unwrap_or_else(|| options::DEFAULT_CONTAINER.to_owned());
        check_container(&container)
            .map_err(|reason| Error::invalid_configuration(options::CONTAINER, reason))?;
        Ok(Self {
            identity: Identity { url, credentials },
            service,
            account: account(settings, version)?,
            wanted: wanted(settings)?,
            container,
            storage_policy: text(settings, options::STORAGE_POLICY)?,
            timeouts: timeouts(settings)?,
            portions: Portions::from_settings(settings)?,
        })
    }
}

fn check_single_user(settings: &Settings) -> Result<(), Error> {
    match settings.text(options::AUTH)? {
        None | Some("single_user") => Ok(()),
        Some("per_user") => Err(Error::invalid_configuration(
            options::AUTH,
            "per_user needs the token of a user's request, which is not here; set single_user and whose account is used",
        )),
        Some(_) => Err(Error::invalid_configuration(
            options::AUTH,
            "expected single_user",
        )),
    }
}

fn version(settings: &Settings, auth_url: &Url, application: bool) -> Result<i64, Error> {
    let wrong = |reason: String| Err(Error::invalid_configuration(options::AUTH_VERSION, reason));
    let version = match settings.integer(options::AUTH_VERSION)? {
        None if application => 3,
        None => 1,
        Some(version @ 1..=3) => version,
        Some(other) => return wrong(format!("expected 1, 2 or 3, found {other}")),
    };
    if application && version != 3 {
        return wrong(format!(
            "an application credential needs version 3, not {version}"
        ));
    }
    match version_in(auth_url) {
        Some(other) if other != version => wrong(format!(
            "{} is a URL of version {other}, but the version is {version}",
            options::AUTH_URL
        )),
        _ => Ok(version),
    }
}

/// The version that the last part of the URL's path names, as in `/v3`.
fn version_in(url: &Url) -> Option<i64> {
    match url.path().trim_end_matches('/').rsplit('/').next() {
        Some("v1" | "v1.0") => Some(1),
        Some("v2" | "v2.0") => Some(2),
        Some("v3") => Some(3),
        _ => None,
    }
}

/// Keystone's URL may be given with or without its version.
fn versioned(url: Url, version: i64) -> Url {
    match version {
        2 if version_in(&url).is_none() => url.join("v2.0"),
        3 if version_in(&url).is_none() => url.join("v3"),
        _ => url,
    }
}

fn account(settings: &Settings, version: i64) -> Result<Option<Url>, Error> {
    let Some(url) = settings.url(options::URL)? else {
        return Ok(None);
    };
    let wrong = |reason: &str| Err(Error::invalid_configuration(options::URL, reason));
    if url.query().is_some() {
        return wrong("the URL of an account has no query");
    }
    if url.path() == "/" {
        return wrong("the path to the account is missing, as in /v1/AUTH_name");
    }
    if version == 1 && url.path().ends_with('_') {
        return wrong(
            "a project's id would have to follow, and version 1 knows none; give the whole account",
        );
    }
    Ok(Some(url))
}

fn wanted(settings: &Settings) -> Result<Wanted, Error> {
    let info = text(settings, options::CATALOG_INFO)?;
    let info = info.as_deref().unwrap_or(options::DEFAULT_CATALOG_INFO);
    let mut parts = info.split(':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(service_type), Some(_), Some(interface), None) if !service_type.is_empty() => {
            Wanted::new(service_type, interface, text(settings, options::REGION)?)
        }
        _ => None,
    }
    .ok_or_else(|| {
        Error::invalid_configuration(
            options::CATALOG_INFO,
            "expected type:name:interface, where interface is publicURL, internalURL or adminURL",
        )
    })
}

fn timeouts(settings: &Settings) -> Result<Timeouts, Error> {
    let limit = settings.duration(options::TIMEOUT)?;
    let limit = limit.unwrap_or(Duration::from_secs(options::DEFAULT_TIMEOUT_SECONDS));
    if limit.is_zero() {
        return Err(Error::invalid_configuration(
            options::TIMEOUT,
            "nothing is done in no time",
        ));
    }
    Ok(Timeouts::all(limit))
}

/// A text that is not empty and can stand in a header.
fn text(settings: &Settings, name: &str) -> Result<Option<String>, Error> {
    match settings.text(name)? {
        Some("") => Err(Error::invalid_configuration(name, "the text is empty")),
        Some(text) if text.chars().any(char::is_control) => Err(Error::invalid_configuration(
            name,
            "the text holds a control character",
        )),
        text => Ok(text.map(str::to_owned)),
    }
}

fn required(settings: &Settings, name: &str, version: i64) -> Result<String, Error> {
    text(settings, name)?.ok_or_else(|| {
        Error::invalid_configuration(
            name,
            format!("it is absent, and a login of version {version} needs it"),
        )
    })
}

fn absent(settings: &Settings, names: &[&str], reason: &str) -> Result<(), Error> {
    for name in names {
        if settings.text(name)?.is_some() {
            return Err(Error::invalid_configuration(
                *name,
                format!("it contradicts the rest: {reason}"),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
