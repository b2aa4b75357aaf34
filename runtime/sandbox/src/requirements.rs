//! What a driver asks for, what the deployer grants, and the settings in between. Plain rules, no WebAssembly.
//!
//! A driver's options come from `describe`; a backend's settings from the configuration. Here each setting is checked
//! against its option's kind, and each directory against the grants. What both sides agree on is all that an instance
//! gets: exactly the directories that its settings name, never the whole grant.

use std::collections::BTreeMap;
use std::path::{Component as PathPart, Path, PathBuf};

use serde::Serialize;

use crate::contract::{DriverError, DriverInfo, InvalidOption, OptionKind, Setting, SettingValue};
use crate::failure::{Failure, Phase};

/// A directory that the deployer lets a backend's driver use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DirectoryGrant {
    /// Absolute path; everything below it is meant too.
    pub path: PathBuf,
    /// Whether the driver may write there.
    pub write: bool,
}

/// All that the deployer lets a backend's driver use. Empty: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Grants {
    /// Directories.
    pub directories: Vec<DirectoryGrant>,
}

/// What an instance is given: settings in the driver's form, and the directories that they name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Provision {
    /// For `do-setup`.
    pub settings: Vec<Setting>,
    /// Preopened under their own path.
    pub directories: Vec<DirectoryGrant>,
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
/// directory that is not granted, with the line to add.
pub fn provide(
    info: &DriverInfo,
    settings: &BTreeMap<String, SettingValue>,
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
    let mut provision = Provision::default();
    for option in &info.options {
        let Some(value) = settings.get(&option.name) else {
            if option.required {
                return Err(invalid(
                    &option.name,
                    "is required by the driver and not set".into(),
                ));
            }
            continue;
        };
        let value = convert(option.kind, value)
            .map_err(|expected| invalid(&option.name, format!("{} is not {expected}", show(value))))?;
        if let (OptionKind::Directory | OptionKind::ReadOnlyDirectory, SettingValue::Text(path)) =
            (option.kind, &value)
        {
            provision
                .directories
                .push(grant_directory(&option.name, path, option.kind, grants)?);
        }
        provision.settings.push(Setting {
            name: option.name.clone(),
            value,
        });
    }
    Ok(provision)
}

fn show(value: &SettingValue) -> String {
    match value {
        SettingValue::Text(text) => format!("{text:?}"),
        SettingValue::Integer(number) => number.to_string(),
        SettingValue::Boolean(truth) => truth.to_string(),
    }
}

/// The value in the form that the driver gets, or what was expected.
fn convert(kind: OptionKind, value: &SettingValue) -> Result<SettingValue, &'static str> {
    match (kind, value) {
        (OptionKind::Text, SettingValue::Text(_))
        | (OptionKind::Integer, SettingValue::Integer(_))
        | (OptionKind::Boolean, SettingValue::Boolean(_)) => Ok(value.clone()),
        (OptionKind::Size, SettingValue::Integer(bytes)) if *bytes >= 0 => Ok(value.clone()),
        (OptionKind::Size, SettingValue::Text(text)) => crate::units::parse_size(text)
            .and_then(|bytes| i64::try_from(bytes).ok())
            .map(SettingValue::Integer)
            .ok_or("a size such as \"64MiB\" or a number of bytes"),
        (OptionKind::Duration, SettingValue::Integer(seconds)) if *seconds >= 0 => seconds
            .checked_mul(1000)
            .map(SettingValue::Integer)
            .ok_or("a number of seconds in range"),
        (OptionKind::Duration, SettingValue::Text(text)) => crate::units::parse_duration(text)
            .and_then(|span| i64::try_from(span.as_millis()).ok())
            .map(SettingValue::Integer)
            .ok_or("a duration such as \"30s\" or a number of seconds"),
        (OptionKind::Directory | OptionKind::ReadOnlyDirectory, SettingValue::Text(path)) => {
            is_plain_absolute(Path::new(path))
                .then(|| value.clone())
                .ok_or("an absolute path without . or ..")
        }
        (OptionKind::Text, _) => Err("a text"),
        (OptionKind::Integer, _) => Err("a whole number"),
        (OptionKind::Boolean, _) => Err("true or false"),
        (OptionKind::Size, _) => Err("a size such as \"64MiB\" or a number of bytes"),
        (OptionKind::Duration, _) => Err("a duration such as \"30s\" or a number of seconds"),
        (OptionKind::Directory | OptionKind::ReadOnlyDirectory, _) => Err("an absolute path"),
    }
}

/// Whether a path is absolute and says what it means: only names after the root.
pub fn is_plain_absolute(path: &Path) -> bool {
    let mut parts = path.components();
    parts.next() == Some(PathPart::RootDir)
        && parts.all(|part| matches!(part, PathPart::Normal(_)))
        && !path.to_string_lossy().split('/').any(|part| part == ".")
}

fn grant_directory(
    option: &str,
    path: &str,
    kind: OptionKind,
    grants: &Grants,
) -> Result<DirectoryGrant, Failure> {
    let write = kind == OptionKind::Directory;
    let path = PathBuf::from(path);
    if grants
        .directories
        .iter()
        .any(|grant| path.starts_with(&grant.path) && (grant.write || !write))
    {
        return Ok(DirectoryGrant { path, write });
    }
    let access = if write { "read-write" } else { "read-only" };
    Err(Failure::Denied {
        wanted: format!("{access} access to directory {path:?} (option {option})"),
        grant: format!(
            "directories = [{{ path = {path:?}, access = \"{access}\" }}] to the backend's grants"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{BodyNeeds, OptionInfo};

    fn driver(kind: OptionKind, required: bool) -> DriverInfo {
        DriverInfo {
            name: "d".into(),
            version: "1".into(),
            vendor: "v".into(),
            description: String::new(),
            options: vec![OptionInfo {
                name: "o".into(),
                kind,
                required,
                default: None,
                description: String::new(),
            }],
            needs: BodyNeeds::empty(),
            greatest_object: None,
            wants_http: false,
        }
    }

    fn settings(name: &str, value: SettingValue) -> BTreeMap<String, SettingValue> {
        BTreeMap::from([(name.to_owned(), value)])
    }

    fn text(value: &str) -> SettingValue {
        SettingValue::Text(value.into())
    }

    #[test]
    fn an_unknown_setting_is_refused_with_the_valid_names() {
        let error = provide(
            &driver(OptionKind::Text, false),
            &settings("x", text("")),
            &Grants::default(),
        )
        .unwrap_err();
        assert_eq!(error.code(), "driver.invalid-configuration");
        assert!(error.to_string().contains("it takes o"), "{error}");
    }

    #[test]
    fn a_required_setting_must_be_there() {
        let error = provide(
            &driver(OptionKind::Text, true),
            &BTreeMap::new(),
            &Grants::default(),
        )
        .unwrap_err();
        assert!(error.to_string().contains("required"), "{error}");
    }

    #[test]
    fn sizes_and_durations_reach_the_driver_as_integers() {
        let given = provide(
            &driver(OptionKind::Size, false),
            &settings("o", text("64MiB")),
            &Grants::default(),
        )
        .unwrap();
        assert_eq!(
            given.settings.first().unwrap().value,
            SettingValue::Integer(64 << 20)
        );
        let given = provide(
            &driver(OptionKind::Duration, false),
            &settings("o", text("1m 30s")),
            &Grants::default(),
        );
        assert_eq!(
            given.unwrap().settings.first().unwrap().value,
            SettingValue::Integer(90_000)
        );
        let wrong = provide(
            &driver(OptionKind::Size, false),
            &settings("o", text("much")),
            &Grants::default(),
        );
        assert!(wrong.unwrap_err().to_string().contains("\"much\" is not a size"));
    }

    #[test]
    fn only_the_named_directory_is_given_and_only_when_granted() {
        let grant = |path: &str, write| Grants {
            directories: vec![DirectoryGrant {
                path: path.into(),
                write,
            }],
        };
        let driver = driver(OptionKind::Directory, true);
        let given = provide(&driver, &settings("o", text("/srv/a/b")), &grant("/srv/a", true)).unwrap();
        assert_eq!(
            given.directories,
            vec![DirectoryGrant {
                path: "/srv/a/b".into(),
                write: true
            }]
        );
        for (path, grants) in [
            ("/srv/a", Grants::default()),
            ("/srv/a", grant("/srv/a", false)),
            ("/srv/ab", grant("/srv/a", true)),
            ("/srv", grant("/srv/a", true)),
        ] {
            let error = provide(&driver, &settings("o", text(path)), &grants).unwrap_err();
            assert_eq!(error.code(), "denied", "{path}");
            assert!(
                error.remedy().contains("directories = [{ path ="),
                "{}",
                error.remedy()
            );
        }
        for path in ["srv/a", "/srv/a/../b", "/srv/./a", ""] {
            let error = provide(&driver, &settings("o", text(path)), &grant("/srv", true)).unwrap_err();
            assert_eq!(error.code(), "driver.invalid-configuration", "{path}");
        }
    }
}
