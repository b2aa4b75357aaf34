//! Claims on backups in SQLite, with fencing.
//!
//! Problem: two processes on one database, or one that stood still for a minute and goes on, could both believe that an
//! operation is theirs. How: a claim has an owner, an end and a token; each new claim on a row takes the next token, and a
//! change that names an older one is refused in the same transaction that would make it. So it does not matter what a loser
//! believes. Bound: a claim whose owner died blocks the backup until it ends. Cost: one read by primary key for each change.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::list::one;
use super::values::{integer, number, parsed, parsed_option, text};
use crate::records::{BackupId, BackupRecord};
use crate::steps::Fence;
use crate::{CatalogError, Result};

/// See [`crate::Step::Claim`].
pub(super) async fn claim(
    connection: &mut SqliteConnection,
    id: BackupId,
    owner: Uuid,
    ttl: Duration,
) -> Result<Fence> {
    let _there: BackupRecord = one(&mut *connection, id.0).await?;
    let row = sqlx::query("SELECT claim_token, claim_owner, claim_until FROM backups WHERE id = ?")
        .bind(id.to_string())
        .fetch_one(&mut *connection)
        .await?;
    let now = Timestamp::now();
    if let Some(holder) = parsed_option::<Uuid>(&row, "claim_owner")?
        && holder != owner
    {
        let until: Timestamp = parsed(&row, "claim_until")?;
        if until > now {
            return Err(CatalogError::Claimed {
                subject: id.into(),
                owner: holder,
                until,
            });
        }
    }
    let fence = Fence(number(&row, "claim_token")?.saturating_add(1));
    sqlx::query("UPDATE backups SET claim_token = ?, claim_owner = ?, claim_until = ? WHERE id = ?")
        .bind(integer(fence.0)?)
        .bind(owner.to_string())
        .bind(text(end(now, ttl)?))
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(fence)
}

/// See [`crate::Step::Renew`].
pub(super) async fn renew(
    connection: &mut SqliteConnection,
    id: BackupId,
    fence: Fence,
    ttl: Duration,
) -> Result<()> {
    check(connection, id, Some(fence)).await?;
    sqlx::query("UPDATE backups SET claim_until = ? WHERE id = ?")
        .bind(text(end(Timestamp::now(), ttl)?))
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// See [`crate::Step::Release`].
pub(super) async fn release(connection: &mut SqliteConnection, id: BackupId, fence: Fence) -> Result<()> {
    check(connection, id, Some(fence)).await?;
    sqlx::query("UPDATE backups SET claim_owner = NULL, claim_until = NULL WHERE id = ?")
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Refuses a fence that is not the row's own, or that was given up. One whose time has passed is good until another claims.
pub(super) async fn check(
    connection: &mut SqliteConnection,
    id: BackupId,
    fence: Option<Fence>,
) -> Result<()> {
    let Some(fence) = fence else { return Ok(()) };
    let holds: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM backups WHERE id = ? AND claim_token = ? AND claim_owner IS NOT NULL)",
    )
    .bind(id.to_string())
    .bind(integer(fence.0)?)
    .fetch_one(connection)
    .await?;
    if holds {
        Ok(())
    } else {
        Err(CatalogError::Fenced(id.into()))
    }
}

fn end(now: Timestamp, ttl: Duration) -> Result<Timestamp> {
    SignedDuration::try_from(ttl)
        .ok()
        .and_then(|ttl| now.checked_add(ttl).ok())
        .ok_or_else(|| CatalogError::Invalid(format!("a claim cannot last {ttl:?}")))
}
