//! Filters as SQL. The column's kind says what a user's text means; what means nothing there is refused, never guessed.

use jiff::Timestamp;
use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use super::values::text;
use crate::columns::{Column, Kind};
use crate::query::{Comparison, Filter, MAX_VALUES};
use crate::{CatalogError, Result};

/// Longest text of a filter, in bytes.
const MAX_TEXT: usize = 4096;

/// A value to bind.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
}

impl Value {
    pub(super) fn push(self, sql: &mut QueryBuilder<Sqlite>) {
        match self {
            Value::Text(text) => sql.push_bind(text),
            Value::Integer(number) => sql.push_bind(number),
        };
    }
}

/// One condition.
pub(super) fn push_filter<C: Column>(sql: &mut QueryBuilder<Sqlite>, filter: &Filter<C>) -> Result<()> {
    match filter {
        Filter::Equal(column, text) => compare(sql, *column, " = ", text),
        Filter::NotEqual(column, text) => compare(sql, *column, " IS NOT ", text),
        Filter::Compare(column, comparison, text) => {
            let operator = match comparison {
                Comparison::Gt => " > ",
                Comparison::Gte => " >= ",
                Comparison::Lt => " < ",
                Comparison::Lte => " <= ",
            };
            compare(sql, *column, operator, text)
        }
        Filter::In(column, texts) => {
            if texts.len() > MAX_VALUES {
                return Err(CatalogError::Invalid(format!(
                    "a filter has more than {MAX_VALUES} values"
                )));
            }
            sql.push("r.").push(column.sql()).push(" IN (");
            for (position, text) in texts.iter().enumerate() {
                if position > 0 {
                    sql.push(", ");
                }
                value(*column, text)?.push(sql);
            }
            sql.push(")");
            Ok(())
        }
        Filter::Like(column, text) => {
            check_length(text)?;
            let mut pattern = String::from("%");
            for letter in text.chars() {
                if matches!(letter, '%' | '_' | '\\') {
                    pattern.push('\\');
                }
                pattern.push(letter);
            }
            pattern.push('%');
            sql.push("r.")
                .push(column.sql())
                .push(" LIKE ")
                .push_bind(pattern)
                .push(" ESCAPE '\\'");
            Ok(())
        }
        Filter::Metadata(..) if !C::SOFT_DELETED => {
            Err(CatalogError::Invalid(format!("{} have no metadata", C::TABLE)))
        }
        Filter::Metadata(key, value) => {
            check_length(key)?;
            check_length(value)?;
            sql.push("EXISTS (SELECT 1 FROM json_each(r.metadata) AS m WHERE m.key = ")
                .push_bind(key.clone())
                .push(" AND m.value = ")
                .push_bind(value.clone())
                .push(")");
            Ok(())
        }
    }
}

fn compare<C: Column>(sql: &mut QueryBuilder<Sqlite>, column: C, operator: &str, text: &str) -> Result<()> {
    sql.push("r.").push(column.sql()).push(operator);
    value(column, text)?.push(sql);
    Ok(())
}

fn check_length(text: &str) -> Result<()> {
    if text.len() > MAX_TEXT {
        return Err(CatalogError::Invalid(format!(
            "a filter's text is longer than {MAX_TEXT} bytes"
        )));
    }
    Ok(())
}

/// What a user's text means in a column.
fn value<C: Column>(column: C, given: &str) -> Result<Value> {
    check_length(given)?;
    let wrong =
        |wanted: &str| CatalogError::Invalid(format!("{given:?} is no {wanted}, as {} needs", column.sql()));
    Ok(match column.kind() {
        Kind::Text => Value::Text(given.to_owned()),
        // An id that is none is nobody's: the list is empty, as Cinder's is.
        Kind::Id => Value::Text(
            given
                .parse::<Uuid>()
                .map_or_else(|_| given.to_owned(), |id| id.to_string()),
        ),
        Kind::Integer => Value::Integer(given.trim().parse().map_err(|_| wrong("whole number"))?),
        Kind::Boolean => match given.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" | "t" | "y" => Value::Integer(1),
            "false" | "0" | "no" | "off" | "f" | "n" => Value::Integer(0),
            _ => return Err(wrong("boolean")),
        },
        Kind::Time => Value::Text(text(time(given).ok_or_else(|| wrong("time"))?)),
    })
}

/// RFC 3339; without an offset it is UTC, without a time the day's beginning.
fn time(given: &str) -> Option<Timestamp> {
    let given = given.trim();
    given
        .parse()
        .or_else(|_| format!("{given}Z").parse())
        .or_else(|_| format!("{given}T00:00:00Z").parse())
        .ok()
}
