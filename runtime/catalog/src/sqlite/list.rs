//! Lists of records: from a query as a value to SQL with bound values, for every kind of record alike.
//!
//! How: all names come from column enums; a page begins behind a marker by comparing sort keys as a row with those of the
//! marker, which an index answers at once. With an offset, the ids are found first, in the index alone, and only the page's
//! rows are read. Bound: the limit of the query. Cost: an offset costs a step in the index for each row that it skips.

use jiff::Timestamp;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteExecutor};
use uuid::Uuid;

use super::filter::{Value, push_filter};
use super::values::{integer, text};
use crate::columns::{Column, Kind};
use crate::query::{Direction, ListQuery, MAX_FILTERS, MAX_SORT_KEYS};
use crate::records::Subject;
use crate::{CatalogError, Result};

/// A kind of record with a table of its own, which queries call `r`.
pub(super) trait Stored: Sized {
    /// The table and its columns.
    type Column: Column;

    /// The beginning of every query for whole rows.
    const SELECT: &'static str;
    /// The column that says until when a row counts, if there is one.
    const EXPIRES: Option<&'static str> = None;

    /// What an error calls it.
    fn subject(id: Uuid) -> Subject;
    /// The record of a row.
    fn read(row: &SqliteRow) -> Result<Self>;
}

/// One record that is not deleted.
pub(super) async fn one<S: Stored>(executor: impl SqliteExecutor<'_>, id: Uuid) -> Result<S> {
    let mut sql = QueryBuilder::<Sqlite>::new(S::SELECT);
    push_from::<S>(&mut sql);
    sql.push(" AND r.id = ").push_bind(id.to_string());
    let row = sql.build().fetch_optional(executor).await?;
    S::read(&row.ok_or(CatalogError::NotFound(S::subject(id)))?)
}

/// A page.
pub(super) async fn page<S: Stored>(pool: &SqlitePool, query: &ListQuery<S::Column>) -> Result<Vec<S>> {
    let marker = match query.marker {
        Some(id) => Some(marker::<S>(pool, query, id).await?),
        None => None,
    };
    let mut sql = page_sql::<S>(query, marker)?;
    let rows = sql.build().fetch_all(pool).await?;
    rows.iter().map(S::read).collect()
}

/// How many there are on all pages.
pub(super) async fn count<S: Stored>(pool: &SqlitePool, query: &ListQuery<S::Column>) -> Result<u64> {
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT count(*)");
    push_where::<S>(&mut sql, query)?;
    let count: i64 = sql.build_query_scalar().fetch_one(pool).await?;
    u64::try_from(count).map_err(|_| CatalogError::Damaged(format!("a count is {count}")))
}

/// The query for a page behind a marker's sort keys.
pub(super) fn page_sql<S: Stored>(
    query: &ListQuery<S::Column>,
    marker: Option<Vec<Value>>,
) -> Result<QueryBuilder<Sqlite>> {
    let order = query.order();
    if order.len() > MAX_SORT_KEYS || query.filters.len() > MAX_FILTERS {
        return Err(CatalogError::Invalid(
            "a list has too many sort keys or filters".into(),
        ));
    }
    let skips = query.offset > 0;
    let mut sql = QueryBuilder::<Sqlite>::new(S::SELECT);
    if skips {
        sql.push(" FROM (SELECT r.id AS found");
    }
    push_where::<S>(&mut sql, query)?;
    if let Some(marker) = marker {
        sql.push(" AND ");
        push_after(&mut sql, &order, marker);
    }
    push_order(&mut sql, &order);
    sql.push(" LIMIT ").push_bind(query.limit);
    if skips {
        sql.push(" OFFSET ").push_bind(integer(query.offset)?);
        sql.push(") CROSS JOIN ")
            .push(S::Column::TABLE)
            .push(" AS r ON r.id = found");
        push_order(&mut sql, &order);
    }
    Ok(sql)
}

/// The marker's own sort keys. It need not match the filters, but be of the project.
async fn marker<S: Stored>(pool: &SqlitePool, query: &ListQuery<S::Column>, id: Uuid) -> Result<Vec<Value>> {
    let order = query.order();
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT ");
    for (position, (column, _)) in order.iter().enumerate() {
        if position > 0 {
            sql.push(", ");
        }
        push_key(&mut sql, *column);
    }
    push_from::<S>(&mut sql);
    if let Some(project) = &query.project {
        sql.push(" AND r.project_id = ").push_bind(project.clone());
    }
    sql.push(" AND r.id = ").push_bind(id.to_string());
    let row = sql.build().fetch_optional(pool).await?;
    let row = row.ok_or(CatalogError::NotFound(S::subject(id)))?;
    let value = |(position, (column, _)): (usize, &(S::Column, Direction))| {
        Ok(match column.kind() {
            Kind::Integer | Kind::Boolean => Value::Integer(row.try_get(position)?),
            Kind::Text | Kind::Id | Kind::Time => Value::Text(row.try_get(position)?),
        })
    };
    order.iter().enumerate().map(value).collect()
}

/// All rows that count.
fn push_from<S: Stored>(sql: &mut QueryBuilder<Sqlite>) {
    sql.push(" FROM ").push(S::Column::TABLE).push(" AS r WHERE ");
    match S::EXPIRES {
        Some(column) => {
            sql.push("r.")
                .push(column)
                .push(" > ")
                .push_bind(text(Timestamp::now()));
        }
        None => {
            sql.push("r.deleted_at IS NULL");
        }
    }
}

/// All rows of the list.
fn push_where<S: Stored>(sql: &mut QueryBuilder<Sqlite>, query: &ListQuery<S::Column>) -> Result<()> {
    push_from::<S>(sql);
    if let Some(project) = &query.project {
        sql.push(" AND r.project_id = ").push_bind(project.clone());
    }
    for filter in &query.filters {
        sql.push(" AND ");
        push_filter(sql, filter)?;
    }
    Ok(())
}

/// What a column is sorted by: never NULL, so that rows can be compared as rows.
fn push_key<C: Column>(sql: &mut QueryBuilder<Sqlite>, column: C) {
    if column.nullable() {
        sql.push("coalesce(r.").push(column.sql()).push(", '')");
    } else {
        sql.push("r.").push(column.sql());
    }
}

fn push_order<C: Column>(sql: &mut QueryBuilder<Sqlite>, order: &[(C, Direction)]) {
    for (position, (column, direction)) in order.iter().enumerate() {
        sql.push(if position == 0 { " ORDER BY " } else { ", " });
        push_key(sql, *column);
        sql.push(match direction {
            Direction::Ascending => " ASC",
            Direction::Descending => " DESC",
        });
    }
}

/// What comes after the marker. Keys of one direction are compared as a row, which an index answers at once; others key by
/// key, beginning with a bound on the first.
fn push_after<C: Column>(sql: &mut QueryBuilder<Sqlite>, order: &[(C, Direction)], marker: Vec<Value>) {
    let first = order.first().map(|key| key.1);
    if order.iter().all(|key| Some(key.1) == first) {
        sql.push("(");
        for (position, (column, _)) in order.iter().enumerate() {
            if position > 0 {
                sql.push(", ");
            }
            push_key(sql, *column);
        }
        sql.push(match first {
            Some(Direction::Ascending) => ") > (",
            _ => ") < (",
        });
        for (position, value) in marker.into_iter().enumerate() {
            if position > 0 {
                sql.push(", ");
            }
            value.push(sql);
        }
        sql.push(")");
        return;
    }
    let after = |direction: &Direction| match direction {
        Direction::Ascending => ">",
        Direction::Descending => "<",
    };
    if let (Some((column, direction)), Some(value)) = (order.first(), marker.first()) {
        push_key(sql, *column);
        sql.push(" ").push(after(direction)).push("= ");
        value.clone().push(sql);
        sql.push(" AND ");
    }
    let last = order.len().saturating_sub(1);
    sql.push("(");
    for (position, ((column, direction), value)) in order.iter().zip(marker).enumerate() {
        push_key(sql, *column);
        sql.push(" ").push(after(direction)).push(" ");
        value.clone().push(sql);
        if position < last {
            sql.push(" OR (");
            push_key(sql, *column);
            sql.push(" = ");
            value.push(sql);
            sql.push(" AND (");
        }
    }
    for _ in 0..last {
        sql.push("))");
    }
    sql.push(")");
}
