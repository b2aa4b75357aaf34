//! A setting in the form that the driver gets, by its option's kind.

use std::path::{Component as PathPart, Path};

use crate::contract::{OptionKind, SettingValue};

pub(super) fn show(value: &SettingValue) -> String {
    match value {
        SettingValue::Text(text) => format!("{text:?}"),
        SettingValue::Integer(number) => number.to_string(),
        SettingValue::Boolean(truth) => truth.to_string(),
    }
}

/// The value in the form that the driver gets, or what was expected.
pub(super) fn convert(kind: OptionKind, value: &SettingValue) -> Result<SettingValue, &'static str> {
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
        (
            OptionKind::Url | OptionKind::HttpProxy | OptionKind::HttpsProxy | OptionKind::TlsCaFile,
            SettingValue::Text(_),
        )
        | (OptionKind::TlsVerify | OptionKind::TlsInsecure, SettingValue::Boolean(_)) => Ok(value.clone()),
        (OptionKind::Url | OptionKind::HttpProxy | OptionKind::HttpsProxy, _) => Err("a URL"),
        (OptionKind::TlsCaFile, _) => Err("the path of a file"),
        (OptionKind::TlsVerify | OptionKind::TlsInsecure, _) => Err("true or false"),
        (OptionKind::Secret, _) => Err("a text, or { file = …, env = …, command = … or credential = … }"),
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
