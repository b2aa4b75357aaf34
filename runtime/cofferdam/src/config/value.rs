//! One value of an option: what it is and where it stands in the file.

use std::path::PathBuf;
use std::time::Duration;

use cofferdam_manager::units::{parse_duration, parse_size};

use super::options::{self, Kind};

/// Line and column, from 1; 0: not in the file, a default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// A checked value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Value {
    pub(crate) data: Data,
    pub(crate) origin: Origin,
}

/// Its content.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Data {
    Text(String),
    Integer(i64),
    Boolean(bool),
    Duration(Duration),
    Path(PathBuf),
    Paths(Vec<PathBuf>),
    Texts(Vec<String>),
}

/// What TOML gave, before it is checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Raw {
    Text(String),
    Integer(i64),
    Boolean(bool),
    Texts(Vec<String>),
    Other(&'static str),
}

impl Raw {
    pub(crate) fn describe(&self) -> String {
        match self {
            Raw::Text(text) => format!("{text:?}"),
            Raw::Integer(number) => number.to_string(),
            Raw::Boolean(truth) => truth.to_string(),
            Raw::Texts(texts) => format!("{texts:?}"),
            Raw::Other(what) => (*what).to_owned(),
        }
    }
}

/// Checks a raw value against a kind; paths are taken relative to `folder`.
pub(crate) fn check(kind: Kind, raw: &Raw, folder: &std::path::Path) -> Option<Data> {
    match (kind, raw) {
        (Kind::Text, Raw::Text(text)) if !text.is_empty() => Some(Data::Text(text.clone())),
        (Kind::Integer(least, most), Raw::Integer(number)) => {
            (least..=most).contains(number).then_some(Data::Integer(*number))
        }
        (Kind::Boolean, Raw::Boolean(truth)) => Some(Data::Boolean(*truth)),
        (Kind::Duration(least, most), Raw::Integer(seconds)) => {
            within(Duration::from_secs(u64::try_from(*seconds).ok()?), least, most)
        }
        (Kind::Duration(least, most), Raw::Text(text)) => within(parse_duration(text)?, least, most),
        (Kind::Size(least, most), Raw::Integer(bytes)) => (least..=most)
            .contains(&u64::try_from(*bytes).ok()?)
            .then_some(Data::Integer(*bytes)),
        (Kind::Size(least, most), Raw::Text(text)) => {
            let bytes = parse_size(text)?;
            (least..=most)
                .contains(&bytes)
                .then_some(Data::Integer(i64::try_from(bytes).ok()?))
        }
        (Kind::Path, Raw::Text(path)) if !path.is_empty() => Some(Data::Path(folder.join(path))),
        (Kind::Paths, Raw::Texts(paths)) => {
            Some(Data::Paths(paths.iter().map(|path| folder.join(path)).collect()))
        }
        (Kind::Texts, Raw::Texts(texts)) if texts.iter().all(|text| !text.is_empty()) => {
            Some(Data::Texts(texts.clone()))
        }
        (Kind::Choice(words), Raw::Text(text)) => words
            .contains(&text.to_lowercase().as_str())
            .then(|| Data::Text(text.to_lowercase())),
        _ => None,
    }
}

fn within(span: Duration, least: u64, most: u64) -> Option<Data> {
    let fits = span >= Duration::from_millis(least) && span <= Duration::from_millis(most);
    fits.then_some(Data::Duration(span))
}

/// The default of an option, from the table.
pub(crate) fn default(name: &str) -> Option<Value> {
    let option = options::find(name)?;
    let raw = super::parse::literal(option.default?)?;
    let data = check(option.kind, &raw, std::path::Path::new("/"))?;
    Some(Value {
        data,
        origin: Origin::default(),
    })
}

impl Value {
    pub(crate) fn into_text(self) -> Option<String> {
        if let Data::Text(text) = self.data {
            Some(text)
        } else {
            None
        }
    }

    pub(crate) fn into_integer(self) -> Option<i64> {
        if let Data::Integer(number) = self.data {
            Some(number)
        } else {
            None
        }
    }

    pub(crate) fn into_boolean(self) -> Option<bool> {
        if let Data::Boolean(truth) = self.data {
            Some(truth)
        } else {
            None
        }
    }

    pub(crate) fn into_duration(self) -> Option<Duration> {
        if let Data::Duration(span) = self.data {
            Some(span)
        } else {
            None
        }
    }

    pub(crate) fn into_path(self) -> Option<PathBuf> {
        if let Data::Path(path) = self.data {
            Some(path)
        } else {
            None
        }
    }

    pub(crate) fn into_paths(self) -> Option<Vec<PathBuf>> {
        if let Data::Paths(paths) = self.data {
            Some(paths)
        } else {
            None
        }
    }

    pub(crate) fn into_texts(self) -> Option<Vec<String>> {
        if let Data::Texts(texts) = self.data {
            Some(texts)
        } else {
            None
        }
    }

    /// As it could stand in the file.
    pub(crate) fn show(&self, kind: Kind) -> String {
        match (&self.data, kind) {
            (Data::Integer(number), Kind::Size(..)) => format!("{:?}", options::bytes(number.unsigned_abs())),
            (Data::Text(text), _) => format!("{text:?}"),
            (Data::Integer(number), _) => number.to_string(),
            (Data::Boolean(truth), _) => truth.to_string(),
            (Data::Duration(span), _) => format!("{:?}", humantime::format_duration(*span).to_string()),
            (Data::Path(path), _) => format!("{path:?}"),
            (Data::Paths(paths), _) => format!("{paths:?}"),
            (Data::Texts(texts), _) => format!("{texts:?}"),
        }
    }

    /// As JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        match &self.data {
            Data::Text(text) => text.clone().into(),
            Data::Integer(number) => (*number).into(),
            Data::Boolean(truth) => (*truth).into(),
            Data::Duration(span) => humantime::format_duration(*span).to_string().into(),
            Data::Texts(texts) => texts.clone().into(),
            Data::Path(path) => path.to_string_lossy().into(),
            Data::Paths(paths) => paths
                .iter()
                .map(|path| path.to_string_lossy().into_owned())
                .collect::<Vec<_>>()
                .into(),
        }
    }
}
