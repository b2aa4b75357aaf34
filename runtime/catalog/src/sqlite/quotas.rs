//! Quotas in SQLite. Use is kept beside the rows by triggers, in the statement that changes a row: so it is read at once even
//! of a million rows, and cannot be forgotten by whoever changes one. `catalog check` holds it against the rows.

use std::collections::BTreeMap;

use sqlx::{Row, SqliteConnection};

use super::values::{number, parsed};
use crate::records::{Limits, Quota, Usage, Used};
use crate::{CatalogError, Result};

/// Refuses what would be more than the project may have. What is asked for is a number and its GiB; nothing of one is never
/// refused, so that who is over the limit can still shrink.
pub(super) async fn check(
    connection: &mut SqliteConnection,
    project: &str,
    resources: (Quota, Quota),
    limits: Option<Limits>,
    asked: (u64, u64),
) -> Result<()> {
    let Some(limits) = limits else { return Ok(()) };
    let own = own(&mut *connection, project).await?;
    let used = usage(connection, project).await?;
    let pairs = [
        (resources.0, limits.count, asked.0),
        (resources.1, limits.gigabytes, asked.1),
    ];
    for (resource, default, asked) in pairs {
        let limit = own.get(&resource).copied().unwrap_or(default);
        let used = used.of(resource);
        let Ok(most) = u64::try_from(limit) else { continue };
        if asked > 0 && used.saturating_add(asked) > most {
            return Err(CatalogError::OverQuota {
                resource,
                limit,
                used,
                asked,
            });
        }
    }
    Ok(())
}

/// See [`crate::Repository::usage`].
pub(super) async fn usage(connection: &mut SqliteConnection, project: &str) -> Result<Usage> {
    let rows = sqlx::query("SELECT kind, count, gigabytes FROM usage WHERE project_id = ?")
        .bind(project)
        .fetch_all(connection)
        .await?;
    let mut usage = Usage::default();
    for row in &rows {
        let used = Used {
            count: number(row, "count")?,
            gigabytes: number(row, "gigabytes")?,
        };
        match row.try_get("kind")? {
            "backups" => usage.backups = used,
            "volumes" => usage.volumes = used,
            "snapshots" => usage.snapshots = used,
            other => return Err(CatalogError::Damaged(format!("usage has the kind {other:?}"))),
        }
    }
    Ok(usage)
}

/// See [`crate::Repository::quotas`].
pub(super) async fn own(connection: &mut SqliteConnection, project: &str) -> Result<BTreeMap<Quota, i64>> {
    let rows = sqlx::query("SELECT resource, most FROM quotas WHERE project_id = ?")
        .bind(project)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| Ok((parsed(row, "resource")?, row.try_get("most")?)))
        .collect()
}

/// See [`crate::Repository::set_quota`].
pub(super) async fn set(
    connection: &mut SqliteConnection,
    project: &str,
    quota: Quota,
    limit: Option<i64>,
) -> Result<()> {
    match limit {
        None => {
            sqlx::query("DELETE FROM quotas WHERE project_id = ? AND resource = ?")
                .bind(project)
                .bind(quota.as_str())
                .execute(connection)
                .await?;
        }
        Some(limit) if limit < -1 => {
            return Err(CatalogError::Invalid(format!(
                "a limit of {limit} for {quota} makes no sense: -1 is none"
            )));
        }
        Some(limit) => {
            sqlx::query(
                "INSERT INTO quotas (project_id, resource, most) VALUES (?, ?, ?)
                 ON CONFLICT DO UPDATE SET most = excluded.most",
            )
            .bind(project)
            .bind(quota.as_str())
            .bind(limit)
            .execute(connection)
            .await?;
        }
    }
    Ok(())
}
