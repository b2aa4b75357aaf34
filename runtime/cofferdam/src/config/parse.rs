//! From TOML to checked values: every key is looked up in the table, every error carries file, line, column and what
//! would be right there.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use cofferdam_manager::{Grants, SettingValue, Written};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::options::{self, OPTIONS, Scope};
use super::value::{self, Data, Origin, Raw, Value};
use super::{BackendSection, Config, grants, secret, volumes};

/// What is wrong with a configuration, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigError {
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            self.file.display(),
            self.line,
            self.column,
            self.message
        )
    }
}

impl std::error::Error for ConfigError {}

/// An error at a place in a file.
pub(crate) fn error(file: &Path, at: Origin, message: String) -> ConfigError {
    ConfigError {
        file: file.to_owned(),
        line: at.line.max(1),
        column: at.column.max(1),
        message,
    }
}

/// What a literal such as `"30s"` means; for the defaults in the table.
pub(crate) fn literal(text: &str) -> Option<Raw> {
    DeValue::parse(text).ok().map(|value| raw(value.get_ref()))
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Boolean(truth) => Raw::Boolean(*truth),
        DeValue::Integer(number) => {
            let digits: String = number.as_str().chars().filter(|c| *c != '_').collect();
            i64::from_str_radix(&digits, number.radix())
                .map_or(Raw::Other("a number out of range"), Raw::Integer)
        }
        DeValue::Array(items) => {
            let texts: Option<Vec<_>> = items
                .iter()
                .map(|item| item.get_ref().as_str().map(str::to_owned))
                .collect();
            texts.map_or(Raw::Other("a list"), Raw::Texts)
        }
        DeValue::Float(_) => Raw::Other("a number with a fraction"),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}

/// A file being read.
pub(super) struct Source<'a> {
    file: &'a Path,
    text: &'a str,
}

type Key<'a, 'i> = &'a Spanned<std::borrow::Cow<'i, str>>;

impl Source<'_> {
    fn origin(&self, at: usize) -> Origin {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Origin { line, column }
    }

    pub(super) fn fail<T>(&self, at: usize, message: impl Into<String>) -> Result<T, ConfigError> {
        Err(error(self.file, self.origin(at), message.into()))
    }

    pub(super) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("."))
    }

    /// One option of the table.
    fn option(
        &self,
        key: Key<'_, '_>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(&'static str, Value), ConfigError> {
        let Some(option) = options::find(key.get_ref()) else {
            return self.fail(key.span().start, format!("unknown option {:?}", key.get_ref()));
        };
        let given = raw(value.get_ref());
        match value::check(option.kind, &given, self.folder()) {
            Some(data) => Ok((
                option.name,
                Value {
                    data,
                    origin: self.origin(key.span().start),
                },
            )),
            None => self.fail(
                value.span().start,
                format!(
                    "{} = {} is not {}",
                    option.name,
                    given.describe(),
                    option.kind.describe()
                ),
            ),
        }
    }
}

/// Reads the text of a configuration.
///
/// # Errors
/// The first rule that is broken.
pub(crate) fn parse(file: &Path, text: &str) -> Result<Config, ConfigError> {
    let source = Source { file, text };
    let table = DeTable::parse(text).map_err(|wrong| {
        let at = source.origin(wrong.span().map_or(0, |span| span.start));
        error(
            file,
            at,
            format!("this is not TOML: {}", wrong.message().replace('\n', "; ")),
        )
    })?;
    let mut config = Config {
        file: file.to_owned(),
        values: BTreeMap::new(),
        backends: Vec::new(),
        volumes: Vec::new(),
    };
    let mut sections = None;
    for (key, value) in table.get_ref() {
        let name: &str = key.get_ref();
        match options::find(name) {
            Some(option) if option.scope == Scope::Backend => {
                return source.fail(
                    key.span().start,
                    format!("{name} belongs in a [backends.NAME] section"),
                );
            }
            Some(_) => {
                let (name, value) = source.option(key, value)?;
                config.values.insert(name, value);
            }
            None if name == "backends" => sections = Some((key, value)),
            None if name == "volumes" => {
                config.volumes = volumes::volumes(&source, key.span().start, value)?;
            }
            None => {
                let valid = valid_keys(|scope| scope != Scope::Backend);
                return source.fail(
                    key.span().start,
                    format!(
                        "unknown option {name:?}{}; valid here: {valid}, [backends.NAME], [volumes.NAME]",
                        closest(name)
                    ),
                );
            }
        }
    }
    if let Some((key, value)) = sections {
        let Some(table) = value.get_ref().as_table() else {
            return source.fail(key.span().start, "backends must be sections: [backends.NAME]");
        };
        for (name, section) in table {
            config.backends.push(backend(&source, name, section)?);
        }
    }
    config
        .backends
        .sort_by_key(|backend| (backend.origin.line, backend.origin.column));
    check_together(&source, &config)?;
    Ok(config)
}

fn valid_keys(wanted: impl Fn(Scope) -> bool) -> String {
    OPTIONS
        .iter()
        .filter(|option| wanted(option.scope))
        .map(|option| option.name)
        .collect::<Vec<_>>()
        .join(", ")
}

/// A hint at the option that was probably meant.
fn closest(name: &str) -> String {
    let best = OPTIONS
        .iter()
        .map(|option| (distance(name, option.name), option.name))
        .min();
    best.filter(|(far, _)| *far <= 3)
        .map_or_else(String::new, |(_, meant)| format!(" (did you mean {meant}?)"))
}

/// Edits between two short words.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let best = (diagonal + usize::from(x != y)).min(left + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, best);
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

fn backend(
    source: &Source<'_>,
    key: Key<'_, '_>,
    section: &Spanned<DeValue<'_>>,
) -> Result<BackendSection, ConfigError> {
    let (name, at): (&str, _) = (key.get_ref(), key.span().start);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        return source.fail(
            at,
            format!("backend name {name:?}: use 1 to 64 letters, digits, - and _"),
        );
    }
    let Some(table) = section.get_ref().as_table() else {
        return source.fail(
            at,
            format!("backends.{name} must be a section: [backends.{name}]"),
        );
    };
    let mut backend = BackendSection {
        name: name.to_owned(),
        values: BTreeMap::new(),
        settings: BTreeMap::new(),
        grants: Grants::default(),
        origin: source.origin(at),
    };
    for (key, value) in table {
        let option: &str = key.get_ref();
        match options::find(option) {
            Some(found) if found.scope == Scope::Service => {
                return source.fail(
                    key.span().start,
                    format!("{option} belongs at the top of the file, not in a backend"),
                );
            }
            Some(_) => {
                let (option, value) = source.option(key, value)?;
                backend.values.insert(option, value);
            }
            None if option == "grants" => backend.grants = grants::grants(source, value)?,
            None => {
                let setting = match raw(value.get_ref()) {
                    Raw::Text(text) => SettingValue::Text(text).into(),
                    Raw::Integer(number) => SettingValue::Integer(number).into(),
                    Raw::Boolean(truth) => SettingValue::Boolean(truth).into(),
                    _ => Written::Kept(secret::kept(source, option, value)?),
                };
                backend
                    .settings
                    .insert(option.to_owned(), (setting, source.origin(key.span().start)));
            }
        }
    }
    if !backend.values.contains_key("backup_driver") {
        return source.fail(at, format!("backend {name} has no backup_driver"));
    }
    Ok(backend)
}

/// Rules over several options.
fn check_together(source: &Source<'_>, config: &Config) -> Result<(), ConfigError> {
    if let Some(webhook) = config.values.get("event_webhook")
        && let Data::Text(url) = &webhook.data
        && !(url.starts_with("http://") || url.starts_with("https://"))
    {
        let message = format!("event_webhook is {url:?}; it must begin with http:// or https://");
        return Err(error(source.file, webhook.origin, message));
    }
    config.check_listen()?;
    for backend in &config.backends {
        let span = |name: &str| match config.backend_value(backend, name) {
            Some(Value {
                data: Data::Duration(span),
                origin,
            }) => (span, origin),
            _ => (std::time::Duration::ZERO, Origin::default()),
        };
        let ((down, down_at), (report, report_at)) = (span("service_down_time"), span("report_interval"));
        if down <= report {
            let at = if down_at.line > 0 { down_at } else { report_at };
            let message = format!(
                "backend {}: service_down_time ({down:?}) must be greater than report_interval ({report:?}), or the \
                 backend would read down between two heartbeats",
                backend.name
            );
            return Err(error(source.file, at, message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
