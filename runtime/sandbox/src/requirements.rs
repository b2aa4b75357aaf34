//! What a driver asks for, what the deployer grants, and the settings in between. Plain rules, no WebAssembly.
//!
//! A driver's options come from `describe`; a backend's settings from the configuration. Here each setting is checked
//! against its option's kind ([`convert`]), and each directory and URL against the [`grants`]. What both sides agree on is all
//! that an instance gets: exactly the directories that its settings name, never the whole grant; secrets by name, never by
//! value; the granted origins, when the driver wants HTTP.

mod convert;
mod grants;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::contract::{
    DriverError, DriverInfo, InvalidOption, OptionInfo, OptionKind, Setting, SettingValue,
};
use crate::failure::{Failure, Phase};
use crate::network::{Policy, Scheme, Target};
use crate::secrets::{Secret, Source};

pub use convert::is_plain_absolute;
pub use grants::{DirectoryGrant, Grants};

/// A setting as the deployer wrote it. Texts are not shown by `Debug`: whether one is a secret only its driver knows.
#[derive(Clone, PartialEq)]
pub enum Written {
    /// A text, a number, true or false.
    Plain(SettingValue),
    /// Where a secret is kept.
    Kept(Source),
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Written::Plain(SettingValue::Text(_)) => f.write_str("Text(…)"),
            Written::Plain(value) => value.fmt(f),
            Written::Kept(source) => source.fmt(f),
        }
    }
}

impl From<SettingValue> for Written {
    fn from(value: SettingValue) -> Self {
        Written::Plain(value)
    }
}

/// How a backend's TLS is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// A file of certificates that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether certificates are checked.
    pub verify: bool,
}

impl Default for TlsSettings {
    fn default() -> Self {
        TlsSettings {
            ca_file: None,
            verify: true,
        }
    }
}

/// Where a backend's requests are sent through.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies {
    pub(crate) http: Option<Target>,
    pub(crate) https: Option<Target>,
}

/// What an instance is given: settings in the driver's form, and what they and the grants open to it.
#[derive(Debug, Clone, Default)]
pub struct Provision {
    /// For `do-setup`.
    pub settings: Vec<Setting>,
    /// Preopened under their own path.
    pub directories: Vec<DirectoryGrant>,
    /// By the options' names.
    pub secrets: BTreeMap<String, Arc<Secret>>,
    /// Those whose values it may read.
    pub reveal: BTreeSet<String>,
    /// How TLS is made.
    pub tls: TlsSettings,
    pub(crate) proxies: Proxies,
    pub(crate) policy: Policy,
}

fn invalid(option: &str, reason: String) -> Failure {
    let fault = InvalidOption {
        option_name: option.to_owned(),
        reason,
    };
    Failure::Driver {
        phase: Phase::Grant,
        error: DriverError::InvalidConfiguration(fault),
    }
}

/// Checks a backend's settings and grants against what its driver says of itself.
///
/// # Errors
/// `driver.invalid-configuration` for an unknown, missing or ill-typed setting, naming the valid ones; `denied` for a
/// directory or URL that is not granted, with the line to add.
pub fn provide(
    info: &DriverInfo,
    settings: &BTreeMap<String, Written>,
    grants: &Grants,
) -> Result<Provision, Failure> {
    for name in settings.keys() {
        if !info.options.iter().any(|option| &option.name == name) {
            let valid: Vec<_> = info.options.iter().map(|option| option.name.as_str()).collect();
            return Err(invalid(
                name,
                format!(
                    "driver {} has no such option; it takes {}",
                    info.name,
                    valid.join(", ")
                ),
            ));
        }
    }
    let mut provision = Provision {
        policy: grants.policy(info.wants_http),
        ..Provision::default()
    };
    for name in &grants.reveal {
        let is = |option: &&OptionInfo| option.kind == OptionKind::Secret;
        if !info.options.iter().filter(is).any(|option| &option.name == name) {
            let reason = format!(
                "grants.reveal names it, but driver {} has no such secret",
                info.name
            );
            return Err(invalid(name, reason));
        }
        provision.reveal.insert(name.clone());
    }
    for option in &info.options {
        let Some(written) = settings.get(&option.name) else {
            if option.required {
                return Err(invalid(
                    &option.name,
                    "is required by the driver and not set".into(),
                ));
            }
            continue;
        };
        let value = match written {
            written if option.kind == OptionKind::Secret => keep(&mut provision, &option.name, written)?,
            Written::Plain(value) => convert::convert(option.kind, value).map_err(|expected| {
                invalid(
                    &option.name,
                    format!("{} is not {expected}", convert::show(value)),
                )
            })?,
            Written::Kept(_) => return Err(invalid(&option.name, "is no secret; write its value".into())),
        };
        open(&mut provision, option, &value, grants, info.wants_http)?;
        provision.settings.push(Setting {
            name: option.name.clone(),
            value,
        });
    }
    Ok(provision)
}

/// Keeps a secret for the driver, and gives what the driver gets in its place: its name.
fn keep(provision: &mut Provision, option: &str, written: &Written) -> Result<SettingValue, Failure> {
    let source = match written {
        Written::Kept(source) => source.clone(),
        Written::Plain(SettingValue::Text(text)) if !text.is_empty() => Source::text(text.as_str()),
        Written::Plain(SettingValue::Text(_)) => return Err(invalid(option, "is empty".into())),
        Written::Plain(_) => {
            let reason =
                "a secret is a text, or { file = … }, { env = … }, { command = … }, { credential = … }";
            return Err(invalid(option, reason.into()));
        }
    };
    provision
        .secrets
        .insert(option.to_owned(), Arc::new(Secret::new(source)));
    Ok(SettingValue::Text(option.to_owned()))
}

/// Opens to an instance what a setting names, or sets the host's own side by it.
fn open(
    provision: &mut Provision,
    option: &OptionInfo,
    value: &SettingValue,
    grants: &Grants,
    wants_http: bool,
) -> Result<(), Failure> {
    let name = option.name.as_str();
    let target = |text: &str| Target::of_url(text).map_err(|why| invalid(name, format!("is no URL: {why}")));
    match (option.kind, value) {
        (OptionKind::Directory | OptionKind::ReadOnlyDirectory, SettingValue::Text(path)) => {
            provision
                .directories
                .push(grants.directory(name, path, option.kind)?);
        }
        (OptionKind::Url, SettingValue::Text(text)) => grants.url(name, &target(text)?, wants_http)?,
        (OptionKind::TlsCaFile, SettingValue::Text(path)) if !path.is_empty() => {
            provision.tls.ca_file = Some(PathBuf::from(path));
        }
        (OptionKind::TlsVerify, SettingValue::Boolean(verify)) => provision.tls.verify &= *verify,
        (OptionKind::TlsInsecure, SettingValue::Boolean(insecure)) => provision.tls.verify &= !*insecure,
        (OptionKind::HttpProxy | OptionKind::HttpsProxy, SettingValue::Text(text)) if !text.is_empty() => {
            let proxy = target(text)?;
            if proxy.scheme != Scheme::Http {
                return Err(invalid(
                    name,
                    "a proxy is spoken to by http; its URL begins with http://".into(),
                ));
            }
            if option.kind == OptionKind::HttpProxy {
                provision.proxies.http = Some(proxy);
            } else {
                provision.proxies.https = Some(proxy);
            }
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests;
