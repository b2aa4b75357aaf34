//! Services and the history of events in the catalog.
//!
//! Both are written in one transaction, so that a reader who sees an event sees the service as it is then or later.
//! Bound: the history keeps the newest entries of each backend; what is older is deleted as new ones come.

use sqlx::Row;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use super::Catalog;
use super::values::{number, parsed, parsed_option, text};
use crate::Result;
use crate::records::{EventRecord, ServiceRecord};

/// Entries that one reading of the history gives at most.
const MAX_EVENTS: u32 = 10_000;

/// See [`crate::Repository::record`].
pub(super) async fn record(
    catalog: &Catalog,
    services: &[ServiceRecord],
    events: &[EventRecord],
    history: u32,
) -> Result<()> {
    let mut transaction = catalog.begin().await?;
    for service in services {
        if service.removed {
            sqlx::query("DELETE FROM services WHERE host = ? AND name = ?")
                .bind(&service.host)
                .bind(&service.name)
                .execute(&mut *transaction)
                .await?;
            continue;
        }
        sqlx::query(
            "INSERT INTO services (host, name, status, heartbeat_at, report_count, updated_at)
             VALUES (?, ?, ?, ?, 1, ?)
             ON CONFLICT (host, name) DO UPDATE SET status = excluded.status,
             heartbeat_at = excluded.heartbeat_at, report_count = report_count + 1,
             updated_at = excluded.updated_at",
        )
        .bind(&service.host)
        .bind(&service.name)
        .bind(&service.status)
        .bind(service.heartbeat.map(text))
        .bind(text(service.updated_at))
        .execute(&mut *transaction)
        .await?;
    }
    for event in events {
        sqlx::query("INSERT INTO events (host, backend, kind, at, payload) VALUES (?, ?, ?, ?, ?)")
            .bind(&event.host)
            .bind(&event.backend)
            .bind(&event.kind)
            .bind(text(event.at))
            .bind(&event.payload)
            .execute(&mut *transaction)
            .await?;
    }
    let mut new: Vec<_> = events.iter().map(|event| (&event.host, &event.backend)).collect();
    new.sort();
    new.dedup();
    for (host, backend) in new {
        sqlx::query(
            "DELETE FROM events WHERE host = ?1 AND backend = ?2 AND number <= (SELECT number FROM events
             WHERE host = ?1 AND backend = ?2 ORDER BY number DESC LIMIT 1 OFFSET ?3)",
        )
        .bind(host)
        .bind(backend)
        .bind(history)
        .execute(&mut *transaction)
        .await?;
    }
    Ok(transaction.commit().await?)
}

/// See [`crate::Repository::forget_services`].
pub(super) async fn forget(catalog: &Catalog, host: &str) -> Result<()> {
    let mut transaction = catalog.begin().await?;
    sqlx::query("DELETE FROM services WHERE host = ?")
        .bind(host)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

/// See [`crate::Repository::services`].
pub(super) async fn all(pool: &SqlitePool) -> Result<Vec<ServiceRecord>> {
    let rows = sqlx::query("SELECT * FROM services ORDER BY host, name")
        .fetch_all(pool)
        .await?;
    rows.iter().map(service).collect()
}

/// See [`crate::Repository::events`].
pub(super) async fn events(
    pool: &SqlitePool,
    host: &str,
    backend: Option<&str>,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<EventRecord>> {
    let query = match after {
        Some(_) => {
            "SELECT * FROM events WHERE host = ?1 AND (?2 IS NULL OR backend = ?2) AND number > ?3
             ORDER BY number LIMIT ?4"
        }
        None => {
            "SELECT * FROM events WHERE host = ?1 AND (?2 IS NULL OR backend = ?2) AND number > ?3
             ORDER BY number DESC LIMIT ?4"
        }
    };
    let rows = sqlx::query(query)
        .bind(host)
        .bind(backend)
        .bind(after.unwrap_or(0))
        .bind(limit.min(MAX_EVENTS))
        .fetch_all(pool)
        .await?;
    let mut events = rows.iter().map(event).collect::<Result<Vec<_>>>()?;
    if after.is_none() {
        events.reverse();
    }
    Ok(events)
}
fn service(row: &SqliteRow) -> Result<ServiceRecord> {
    Ok(ServiceRecord {
        name: row.try_get("name")?,
        host: row.try_get("host")?,
        removed: false,
        status: row.try_get("status")?,
        heartbeat: parsed_option(row, "heartbeat_at")?,
        report_count: number(row, "report_count")?,
        updated_at: parsed(row, "updated_at")?,
    })
}

fn event(row: &SqliteRow) -> Result<EventRecord> {
    Ok(EventRecord {
        number: row.try_get("number")?,
        host: row.try_get("host")?,
        backend: row.try_get("backend")?,
        kind: row.try_get("kind")?,
        at: parsed(row, "at")?,
        payload: row.try_get("payload")?,
    })
}
