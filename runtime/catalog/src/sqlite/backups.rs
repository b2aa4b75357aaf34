//! Backups in SQLite: the steps that change one, and the questions that operations ask.

use jiff::Timestamp;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row, SqliteConnection};

use super::list::{Stored, one};
use super::values::{parsed, text};
use super::{backup_row, claims, quotas};
use crate::records::{BackupId, BackupRecord, BackupStatus, Change, Limits, Quota, VolumeId};
use crate::steps::Fence;
use crate::{CatalogError, Result};

// The questions' queries, here so that their plans can be looked at.
pub(crate) const UNFINISHED: &str =
    "SELECT r.*, EXISTS (SELECT 1 FROM backups AS child WHERE child.parent_id = r.id
 AND child.deleted_at IS NULL) AS has_dependents
 FROM backups AS r
 WHERE status IN ('creating', 'restoring', 'deleting') AND deleted_at IS NULL ORDER BY created_at, id";
pub(crate) const AVAILABLE: &str =
    "SELECT r.*, EXISTS (SELECT 1 FROM backups AS child WHERE child.parent_id = r.id
 AND child.deleted_at IS NULL) AS has_dependents
 FROM backups AS r WHERE id IN (
     SELECT id FROM backups WHERE volume_id = ? AND deleted_at IS NULL
     UNION SELECT id FROM backups WHERE volume_path = ? AND deleted_at IS NULL)
 AND status = 'available' AND deleted_at IS NULL ORDER BY data_timestamp DESC, id DESC";
pub(crate) const UNVERIFIED: &str =
    "SELECT id FROM backups INDEXED BY backups_unverified WHERE status = 'available' AND deleted_at IS NULL
 AND coalesce(verified_at, updated_at) < ? ORDER BY coalesce(verified_at, updated_at) LIMIT 100";
pub(crate) const PLACED: &str =
    "SELECT r.*, EXISTS (SELECT 1 FROM backups AS child WHERE child.parent_id = r.id
 AND child.deleted_at IS NULL) AS has_dependents
 FROM backups AS r WHERE backend = ? AND placed ORDER BY created_at, id";

/// Records a new backup: its id must be free, what it builds on whole, and the project's quota enough.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    mut record: BackupRecord,
    limits: Option<Limits>,
) -> Result<BackupRecord> {
    super::check_free::<BackupRecord>(connection, record.id.0).await?;
    if let Some(parent) = record.parent_id {
        let found: BackupRecord = one(&mut *connection, parent.0).await?;
        if !matches!(found.status, BackupStatus::Available | BackupStatus::Restoring) {
            return Err(conflict(&found));
        }
    }
    let resources = (Quota::Backups, Quota::BackupGigabytes);
    quotas::check(
        connection,
        &record.project_id,
        resources,
        limits,
        (1, record.size_gib),
    )
    .await?;
    record.has_dependents = false;
    backup_row::insert(connection, &record).await?;
    Ok(record)
}

/// Changes a backup that is in one of these statuses.
pub(super) async fn change(
    connection: &mut SqliteConnection,
    id: BackupId,
    from: &[BackupStatus],
    change: Change,
    fence: Option<Fence>,
) -> Result<BackupRecord> {
    let mut found: BackupRecord = one(&mut *connection, id.0).await?;
    claims::check(connection, id, fence).await?;
    let allowed = change
        .status
        .is_none_or(|next| found.status.allows(next, change.reset));
    if !from.contains(&found.status) || !allowed {
        return Err(conflict(&found));
    }
    if change.status == Some(BackupStatus::Deleting) && found.has_dependents {
        return Err(CatalogError::HasDependents(id.into()));
    }
    change.apply(&mut found, Timestamp::now());
    backup_row::update(connection, &found).await?;
    Ok(found)
}

/// Takes a backup that is `deleting` out of all lists.
pub(super) async fn delete(
    connection: &mut SqliteConnection,
    id: BackupId,
    fence: Option<Fence>,
) -> Result<()> {
    let found: BackupRecord = one(&mut *connection, id.0).await?;
    claims::check(connection, id, fence).await?;
    if found.status != BackupStatus::Deleting {
        return Err(conflict(&found));
    }
    if found.has_dependents {
        return Err(CatalogError::HasDependents(id.into()));
    }
    sqlx::query("UPDATE backups SET deleted_at = ?, claim_owner = NULL, claim_until = NULL WHERE id = ?")
        .bind(text(Timestamp::now()))
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

fn conflict(found: &BackupRecord) -> CatalogError {
    CatalogError::Conflict {
        subject: found.id.into(),
        found: found.status.as_str(),
    }
}

/// See [`crate::Repository::unfinished`].
pub(super) async fn unfinished(pool: &SqlitePool) -> Result<Vec<BackupRecord>> {
    let rows = sqlx::query(UNFINISHED).fetch_all(pool).await?;
    rows.iter().map(BackupRecord::read).collect()
}

/// See [`crate::Repository::available`]. By id or path, because a chain that was adopted keeps the id that it came with.
pub(super) async fn available(pool: &SqlitePool, volume: VolumeId, path: &str) -> Result<Vec<BackupRecord>> {
    let rows = sqlx::query(AVAILABLE)
        .bind(volume.to_string())
        .bind(path)
        .fetch_all(pool)
        .await?;
    rows.iter().map(BackupRecord::read).collect()
}

/// See [`crate::Repository::unverified_since`].
pub(super) async fn unverified_since(pool: &SqlitePool, before: Timestamp) -> Result<Vec<BackupId>> {
    let rows = sqlx::query(UNVERIFIED).bind(text(before)).fetch_all(pool).await?;
    rows.iter().map(|row| parsed(row, "id")).collect()
}

/// See [`crate::Repository::placed`].
pub(super) async fn placed(pool: &SqlitePool, backend: &str) -> Result<Vec<(BackupRecord, bool)>> {
    let rows = sqlx::query(PLACED).bind(backend).fetch_all(pool).await?;
    let one = |row| {
        let deleted: Option<String> = SqliteRow::try_get(row, "deleted_at")?;
        Ok((BackupRecord::read(row)?, deleted.is_some()))
    };
    rows.iter().map(one).collect()
}

/// See [`crate::Repository::chain`].
pub(super) async fn chain(pool: &SqlitePool, id: BackupId) -> Result<Vec<BackupRecord>> {
    let mut chain: Vec<BackupRecord> = vec![one(pool, id.0).await?];
    while let Some(parent) = chain.last().and_then(|record| record.parent_id) {
        if chain.iter().any(|record| record.id == parent) {
            return Err(CatalogError::Damaged(format!("backup {parent} builds on itself")));
        }
        chain.push(one(pool, parent.0).await?);
    }
    Ok(chain)
}
