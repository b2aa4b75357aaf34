//! The grants of a backend's section.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use cofferdam_manager::{DirectoryGrant, Grants, is_plain_absolute};
use toml::Spanned;
use toml::de::DeValue;

use super::parse::{ConfigError, Source};

const SHAPE: &str =
    "grants.directories must be a list such as [{ path = \"/srv/backup\", access = \"read-write\" }]";

/// Reads `grants`.
///
/// # Errors
/// The first thing that is no grant, with what would be right there.
pub(super) fn grants(source: &Source<'_>, value: &Spanned<DeValue<'_>>) -> Result<Grants, ConfigError> {
    let Some(table) = value.get_ref().as_table() else {
        return source.fail(
            value.span().start,
            "grants must be a table such as { http = [\"https://s3.example.com\"] }",
        );
    };
    let mut grants = Grants::default();
    for (key, value) in table {
        match &**key.get_ref() {
            "directories" => grants.directories = directories(source, value)?,
            "http" => grants.http = list(source, "http", "https://s3.example.com", value)?,
            "networks" => grants.networks = list(source, "networks", "10.0.0.0/8", value)?,
            "tcp" => grants.tcp = list(source, "tcp", "192.0.2.7:2049", value)?,
            "reveal" => grants.reveal = list(source, "reveal", "name_of_an_option", value)?,
            other => {
                let message =
                    format!("unknown grant {other:?}; valid here: directories, http, networks, tcp, reveal");
                return source.fail(key.span().start, message);
            }
        }
    }
    Ok(grants)
}

/// A list of texts that each mean something.
fn list<T: FromStr>(
    source: &Source<'_>,
    name: &str,
    example: &str,
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<T>, ConfigError>
where
    T::Err: std::fmt::Display,
{
    let shape = || format!("grants.{name} must be a list such as [{example:?}]");
    let Some(items) = value.get_ref().as_array() else {
        return source.fail(value.span().start, shape());
    };
    let mut all = Vec::new();
    for item in items.iter() {
        let Some(text) = item.get_ref().as_str() else {
            return source.fail(item.span().start, shape());
        };
        match text.parse() {
            Ok(grant) => all.push(grant),
            Err(why) => return source.fail(item.span().start, format!("grants.{name}: {why}")),
        }
    }
    Ok(all)
}

fn directories(
    source: &Source<'_>,
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<DirectoryGrant>, ConfigError> {
    let Some(items) = value.get_ref().as_array() else {
        return source.fail(value.span().start, SHAPE);
    };
    let mut all = Vec::new();
    for item in items.iter() {
        let Some(entry) = item.get_ref().as_table() else {
            return source.fail(item.span().start, SHAPE);
        };
        let (mut path, mut write) = (None, None);
        for (key, value) in entry {
            let text = value.get_ref().as_str();
            match (&**key.get_ref(), text) {
                ("path", Some(text)) if is_plain_absolute(Path::new(text)) => {
                    path = Some(PathBuf::from(text))
                }
                ("path", _) => {
                    return source.fail(
                        value.span().start,
                        "path must be an absolute path without . or ..",
                    );
                }
                ("access", Some("read-only")) => write = Some(false),
                ("access", Some("read-write")) => write = Some(true),
                ("access", _) => {
                    return source.fail(
                        value.span().start,
                        "access must be \"read-only\" or \"read-write\"",
                    );
                }
                (other, _) => {
                    let message = format!("unknown key {other:?}; valid here: path, access");
                    return source.fail(key.span().start, message);
                }
            }
        }
        match (path, write) {
            (Some(path), Some(write)) => all.push(DirectoryGrant { path, write }),
            _ => return source.fail(item.span().start, SHAPE),
        }
    }
    Ok(all)
}
