//! Values between records and columns: times and numbers as the tables keep them, and what cannot be read is damage.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::{CatalogError, Result};

/// Longest reason that is recorded.
const MAX_REASON: usize = 4000;

/// Microseconds always: then the texts sort as the times do.
pub(crate) fn text(time: Timestamp) -> String {
    format!("{time:.6}")
}

pub(crate) fn reason(text: Option<&String>) -> Option<String> {
    text.map(|reason| reason.chars().take(MAX_REASON).collect())
}

pub(crate) fn integer(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|_| CatalogError::Invalid(format!("{number} is too great a number")))
}

pub(crate) fn json(metadata: &BTreeMap<String, String>) -> Result<String> {
    serde_json::to_string(metadata)
        .map_err(|error| CatalogError::Invalid(format!("the metadata cannot be written: {error}")))
}

pub(crate) fn metadata(row: &SqliteRow) -> Result<BTreeMap<String, String>> {
    let value: String = row.try_get("metadata")?;
    serde_json::from_str(&value).map_err(|_| CatalogError::Damaged(format!("metadata is {value:?}")))
}

pub(crate) fn number(row: &SqliteRow, column: &str) -> Result<u64> {
    let value: i64 = row.try_get(column)?;
    u64::try_from(value).map_err(|_| CatalogError::Damaged(format!("{column} is {value}")))
}

pub(crate) fn number_option(row: &SqliteRow, column: &str) -> Result<Option<u64>> {
    let value: Option<i64> = row.try_get(column)?;
    value.map(|_| number(row, column)).transpose()
}

pub(crate) fn parsed<T: FromStr>(row: &SqliteRow, column: &str) -> Result<T> {
    let value: String = row.try_get(column)?;
    value
        .parse()
        .map_err(|_| CatalogError::Damaged(format!("{column} is {value:?}")))
}

pub(crate) fn parsed_option<T: FromStr>(row: &SqliteRow, column: &str) -> Result<Option<T>> {
    let value: Option<String> = row.try_get(column)?;
    let parse = |value: String| {
        value
            .parse()
            .map_err(|_| CatalogError::Damaged(format!("{column} is {value:?}")))
    };
    value.map(parse).transpose()
}
