//! Lists of records: from a query as a value to SQL with bound values, for every kind of record alike.
//!
//! How: all names come from column enums; a page begins behind a marker by comparing sort keys as a row with those of the
//! marker, which an index answers at once. With an offset, the ids are found first, in the index alone, and only the page's
//! rows are read. Bound: the limit of the query. Cost: an offset costs a step in the index for each row that
//! it skips, from whichever end of the list is nearer.

use jiff::Timestamp;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, SqliteExecutor};
use uuid::Uuid;

use super::filter::{Value, push_filter};
use super::values::{integer, text};
use crate::columns::{Column, Kind};
use crate::query::{Direction, ListQuery, MAX_FILTERS, MAX_SORT_KEYS};
use crate::records::Subject;
use crate::{CatalogError, Result};

/// Offsets from which on it is asked whether the end of the list is nearer.
const FAR: u64 = 50;

/// A kind of record with a table of its own, which queries call `r`.
pub(crate) trait Stored: Sized {
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

/// A page. One far behind the middle of a list whose length is known is found from the list's end.
pub(super) async fn page<S: Stored>(pool: &SqlitePool, query: &ListQuery<S::Column>) -> Result<Vec<S>> {
    // Marker, length and page are of one moment.
    let mut moment = pool.begin().await?;
    let marker = match query.marker {
        Some(id) => Some(marker::<S>(&mut moment, query, id).await?),
        None => None,
    };
    let mut from_end = None;
    if query.offset >= FAR && marker.is_none() && query.filters.is_empty() && S::Column::SOFT_DELETED {
        from_end = backwards(query, count::<S>(&mut moment, query).await?);
    }
    let mut sql = QueryBuilder::<Sqlite>::new("");
    push_page::<S>(&mut sql, from_end.as_ref().unwrap_or(query), marker)?;
    let rows = sql.build().fetch_all(&mut *moment).await?;
    let mut page: Vec<S> = rows.iter().map(S::read).collect::<Result<_>>()?;
    if from_end.is_some() {
        page.reverse();
    }
    Ok(page)
}

/// The same page as counted from the end of a list of that length, if that is nearer.
fn backwards<C: Column>(query: &ListQuery<C>, length: u64) -> Option<ListQuery<C>> {
    if query.offset <= length / 2 {
        return None;
    }
    let left = length.saturating_sub(query.offset);
    let limit = left.min(u64::from(query.limit));
    let mut sort = query.order();
    for (_, direction) in &mut sort {
        *direction = direction.reversed();
    }
    Some(ListQuery {
        sort,
        limit: u32::try_from(limit).ok()?,
        offset: left.saturating_sub(limit),
        project: query.project.clone(),
        ..ListQuery::default()
    })
}

/// How many there are on all pages. Without filters the triggers of the quotas have counted them already.
pub(super) async fn count<S: Stored>(
    connection: &mut SqliteConnection,
    query: &ListQuery<S::Column>,
) -> Result<u64> {
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT ");
    if query.filters.is_empty() && S::Column::SOFT_DELETED {
        sql.push("coalesce(sum(count), 0) FROM usage WHERE kind = ")
            .push_bind(S::Column::TABLE);
        if let Some(project) = &query.project {
            sql.push(" AND project_id = ").push_bind(project.clone());
        }
    } else {
        sql.push("count(*)");
        push_where::<S>(&mut sql, query)?;
    }
    let count: i64 = sql.build_query_scalar().fetch_one(connection).await?;
    u64::try_from(count).map_err(|_| CatalogError::Damaged(format!("a count is {count}")))
}

/// The query for a page behind a marker's sort keys.
fn push_page<S: Stored>(
    sql: &mut QueryBuilder<Sqlite>,
    query: &ListQuery<S::Column>,
    marker: Option<Vec<Value>>,
) -> Result<()> {
    let order = query.order();
    if order.len() > MAX_SORT_KEYS || query.filters.len() > MAX_FILTERS {
        return Err(CatalogError::Invalid(
            "a list has too many sort keys or filters".into(),
        ));
    }
    let skips = query.offset > 0;
    sql.push(S::SELECT);
    if skips {
        sql.push(" FROM (SELECT r.id AS found");
    }
    push_where::<S>(sql, query)?;
    if let Some(marker) = marker {
        sql.push(" AND ");
        push_after(sql, &order, marker);
    }
    push_order(sql, &order);
    sql.push(" LIMIT ").push_bind(query.limit);
    if skips {
        sql.push(" OFFSET ").push_bind(integer(query.offset)?);
        sql.push(") CROSS JOIN ")
            .push(S::Column::TABLE)
            .push(" AS r ON r.id = found");
        push_order(sql, &order);
    }
    Ok(())
}

/// The marker's own sort keys. It need not match the filters, but be of the project.
async fn marker<S: Stored>(
    connection: &mut SqliteConnection,
    query: &ListQuery<S::Column>,
    id: Uuid,
) -> Result<Vec<Value>> {
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
    let row = sql.build().fetch_optional(connection).await?;
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

/// What a column is sorted by: never NULL, so that rows can be compared as rows. Names have a column for it, since many lists
/// are sorted by them and an index of an expression would not answer such a comparison.
fn push_key<C: Column>(sql: &mut QueryBuilder<Sqlite>, column: C) {
    if column.nullable() && column.sql() == "name" {
        sql.push("r.name_key");
    } else if column.nullable() {
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

/// How SQLite would answer a query, a line for each step.
#[cfg(test)]
pub(crate) async fn plan<S: Stored>(catalog: &super::Catalog, query: &ListQuery<S::Column>) -> String {
    let mut connection = catalog.readers.acquire().await.unwrap();
    let marker = match query.marker {
        Some(id) => Some(marker::<S>(&mut connection, query, id).await.unwrap()),
        None => None,
    };
    let mut sql = QueryBuilder::<Sqlite>::new("EXPLAIN QUERY PLAN ");
    push_page::<S>(&mut sql, query, marker).unwrap();
    let rows = sql.build().fetch_all(&mut *connection).await.unwrap();
    rows.iter()
        .map(|row| format!("{}\n", row.get::<String, _>("detail")))
        .collect()
}
