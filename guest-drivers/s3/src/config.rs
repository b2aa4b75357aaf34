//! The settings of a backend, checked: every value in its range, and all of them fit to work together. Pure.

use std::time::Duration;

use cofferdam_driver::http::{Timeouts, Url};
use cofferdam_driver::{Error, Secret, Settings};

use crate::client::Client;
use crate::names::{Addressing, bucket_fault};
use crate::options::*;
use crate::portions::Portions;

/// The greatest object that S3 takes in one piece, and the greatest part: 5 GiB.
const GREATEST_PIECE: u64 = 5 << 30;
/// The smallest part that S3 takes, but for the last: 5 MiB.
const SMALLEST_PART: u64 = 5 << 20;
const LONGEST_TIMEOUT: Duration = Duration::from_secs(3600);

/// Who encrypts objects in the storage, and with which key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// Whatever the bucket does by itself.
    Default,
    /// The storage, by this value of `x-amz-server-side-encryption`.
    Server(&'static str),
    /// The storage, with a key that comes with each request (SSE-C).
    Customer(Secret),
}

/// A checksum that the storage checks and keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checksum {
    None,
    Crc32c,
    Sha256,
}

/// A backend.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) client: Client,
    pub(crate) bucket: String,
    pub(crate) portions: Portions,
    pub(crate) md5_validation: bool,
    pub(crate) encryption: Encryption,
    pub(crate) checksum: Checksum,
    pub(crate) multipart_threshold: u64,
    pub(crate) part_size: u64,
}

impl Config {
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self, Error> {
        check_without_effect(settings)?;
        let client = client(settings)?;
        let bucket = settings.text(BUCKET)?.unwrap_or(DEFAULT_BUCKET);
        if let Some(fault) = bucket_fault(bucket, client.addressing) {
            return Err(Error::invalid_configuration(BUCKET, fault));
        }
        if client.addressing == Addressing::Virtual
            && let Err(reason) = client.endpoint.with_label(bucket)
        {
            return Err(Error::invalid_configuration(
                ADDRESSING_STYLE,
                format!("virtual does not go with the endpoint: {reason}"),
            ));
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            client,
            portions: Portions::from_settings(settings)?,
            md5_validation: settings.boolean(MD5_VALIDATION)?.unwrap_or(true),
            encryption: encryption(settings)?,
            checksum: one_of(
                settings,
                CHECKSUM_MODE,
                &[
                    ("none", Checksum::None),
                    ("crc32c", Checksum::Crc32c),
                    ("sha256", Checksum::Sha256),
                ],
            )?,
            multipart_threshold: size(settings, MULTIPART_THRESHOLD, 1, DEFAULT_MULTIPART_THRESHOLD)?,
            part_size: size(settings, PART_SIZE, SMALLEST_PART, DEFAULT_PART_SIZE)?,
        })
    }
}

fn client(settings: &Settings) -> Result<Client, Error> {
    let endpoint = settings.required_url(ENDPOINT_URL)?;
    if endpoint.query().is_some() {
        return Err(Error::invalid_configuration(
            ENDPOINT_URL,
            "the URL holds a query (?)",
        ));
    }
    let access_key = settings.required_text(ACCESS_KEY)?;
    if !access_key
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"/,=".contains(&byte))
    {
        return Err(Error::invalid_configuration(
            ACCESS_KEY,
            "the id holds a space or a character that no key's id has",
        ));
    }
    let region = settings.text(REGION)?.unwrap_or(DEFAULT_REGION);
    let is_region = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !(1..=64).contains(&region.len()) || !region.bytes().all(is_region) {
        return Err(Error::invalid_configuration(
            REGION,
            "expected 1 to 64 letters, digits and `-`",
        ));
    }
    let addressing = one_of(
        settings,
        ADDRESSING_STYLE,
        &[("path", Addressing::Path), ("virtual", Addressing::Virtual)],
    )?;
    if addressing == Addressing::Virtual && is_address(&endpoint) {
        return Err(Error::invalid_configuration(
            ADDRESSING_STYLE,
            "virtual needs a host's name in backup_s3_endpoint_url, not an address",
        ));
    }
    Ok(Client {
        endpoint,
        addressing,
        region: region.to_owned(),
        access_key: access_key.to_owned(),
        secret_key: settings.required_secret(SECRET_KEY)?,
        timeouts: Timeouts::all(timeout(settings)?),
    })
}

fn timeout(settings: &Settings) -> Result<Duration, Error> {
    let timeout = settings.duration(TIMEOUT)?;
    let timeout = timeout.unwrap_or(Duration::from_secs(DEFAULT_TIMEOUT_SECONDS));
    if timeout.is_zero() || timeout > LONGEST_TIMEOUT {
        return Err(Error::invalid_configuration(
            TIMEOUT,
            format!(
                "expected more than 0 and at most an hour, found {} ms",
                timeout.as_millis()
            ),
        ));
    }
    Ok(timeout)
}

fn encryption(settings: &Settings) -> Result<Encryption, Error> {
    let server = one_of(
        settings,
        SERVER_SIDE_ENCRYPTION,
        &[
            ("none", None),
            ("AES256", Some("AES256")),
            ("aws:kms", Some("aws:kms")),
        ],
    )?;
    let algorithm = settings.text(CUSTOMER_ALGORITHM)?.filter(|text| !text.is_empty());
    let customer = match (settings.secret(CUSTOMER_KEY)?, algorithm) {
        (None, None) => None,
        (Some(key), Some("AES256")) => Some(key),
        (Some(_), Some(_)) => {
            return Err(Error::invalid_configuration(
                CUSTOMER_ALGORITHM,
                "SSE-C knows AES256 only",
            ));
        }
        (Some(_), None) => return Err(half(CUSTOMER_ALGORITHM, CUSTOMER_KEY)),
        (None, Some(_)) => return Err(half(CUSTOMER_KEY, CUSTOMER_ALGORITHM)),
    };
    match (server, customer) {
        (None, None) => Ok(Encryption::Default),
        (Some(server), None) => Ok(Encryption::Server(server)),
        (None, Some(key)) => Ok(Encryption::Customer(key)),
        (Some(_), Some(_)) => Err(Error::invalid_configuration(
            SERVER_SIDE_ENCRYPTION,
            format!("an object is encrypted with the storage's key or with {CUSTOMER_KEY}, not both"),
        )),
    }
}

/// Cinder only warns here and goes on without encryption; the deployer asked for it.
fn half(missing: &str, given: &str) -> Error {
    Error::invalid_configuration(
        missing,
        format!("the option is absent, but {given} is set; SSE-C needs both"),
    )
}

fn check_without_effect(settings: &Settings) -> Result<(), Error> {
    for (name, least) in [(MAX_POOL_CONNECTIONS, 1), (RETRY_MAX_ATTEMPTS, 0)] {
        if let Some(found) = settings.integer(name)?
            && found < least
        {
            return Err(Error::invalid_configuration(
                name,
                format!("expected at least {least}, found {found}"),
            ));
        }
    }
    one_of(
        settings,
        RETRY_MODE,
        &[("legacy", ()), ("standard", ()), ("adaptive", ())],
    )?;
    settings.boolean(PROGRESS_TIMER).map(drop)
}

/// One of a few words; the first when the option is absent.
fn one_of<T: Copy>(settings: &Settings, name: &str, choices: &[(&str, T)]) -> Result<T, Error> {
    let found = settings.text(name)?;
    let choice = match found {
        Some(found) => choices.iter().find(|(word, _)| *word == found),
        None => choices.first(),
    };
    choice.map(|(_, choice)| *choice).ok_or_else(|| {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        Error::invalid_configuration(name, format!("expected one of {}", words.join(", ")))
    })
}

fn size(settings: &Settings, name: &str, least: u64, default: u64) -> Result<u64, Error> {
    let size = settings.size(name)?.unwrap_or(default);
    if (least..=GREATEST_PIECE).contains(&size) {
        return Ok(size);
    }
    Err(Error::invalid_configuration(
        name,
        format!("expected {least} to {GREATEST_PIECE} bytes, found {size}"),
    ))
}

fn is_address(endpoint: &Url) -> bool {
    let authority = endpoint.authority();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    authority.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok()
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
