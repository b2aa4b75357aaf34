//! Backups in SQLite: the row, the steps that change it, and the questions that operations ask.

use jiff::Timestamp;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::list::{Stored, one};
use super::values::{integer, json, metadata, number, number_option, parsed, parsed_option, reason, text};
use super::{claims, quotas};
use crate::columns::BackupColumn;
use crate::records::{BackupId, BackupRecord, BackupStatus, Change, Limits, Quota, Subject, VolumeId};
use crate::steps::Fence;
use crate::{CatalogError, Result};

impl Stored for BackupRecord {
    type Column = BackupColumn;

    const SELECT: &'static str = "SELECT r.*, EXISTS (SELECT 1 FROM backups AS child
         WHERE child.parent_id = r.id AND child.deleted_at IS NULL) AS has_dependents";

    fn subject(id: Uuid) -> Subject {
        Subject::Backup(BackupId(id))
    }

    fn read(row: &SqliteRow) -> Result<Self> {
        Ok(BackupRecord {
            id: parsed(row, "id")?,
            project_id: row.try_get("project_id")?,
            user_id: row.try_get("user_id")?,
            host: row.try_get("host")?,
            backend: row.try_get("backend")?,
            driver: row.try_get("driver")?,
            availability_zone: row.try_get("availability_zone")?,
            status: parsed(row, "status")?,
            placed: row.try_get("placed")?,
            name: row.try_get("name")?,
            description: row.try_get("description")?,
            volume_id: parsed(row, "volume_id")?,
            volume_path: row.try_get("volume_path")?,
            volume_bytes: number(row, "volume_bytes")?,
            size_gib: number(row, "size_gib")?,
            container: row.try_get("container")?,
            prefix: row.try_get("prefix")?,
            algorithm: row.try_get("algorithm")?,
            object_size: number_option(row, "object_size")?,
            block_size: row.try_get("block_size")?,
            object_count: number(row, "object_count")?,
            stored_bytes: number(row, "stored_bytes")?,
            metadata_seal: row.try_get("metadata_seal")?,
            sha256file_seal: row.try_get("sha256file_seal")?,
            parent_id: parsed_option(row, "parent_id")?,
            fail_code: row.try_get("fail_code")?,
            fail_reason: row.try_get("fail_reason")?,
            created_at: parsed(row, "created_at")?,
            updated_at: parsed(row, "updated_at")?,
            data_timestamp: parsed(row, "data_timestamp")?,
            verified_at: parsed_option(row, "verified_at")?,
            verify_result: row.try_get("verify_result")?,
            metadata: metadata(row)?,
            snapshot_id: parsed_option(row, "snapshot_id")?,
            restore_volume_id: parsed_option(row, "restore_volume_id")?,
            scheduling: row.try_get("scheduling")?,
            request_id: row.try_get("request_id")?,
            has_dependents: row.try_get("has_dependents")?,
        })
    }
}

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
    sqlx::query(
        "INSERT INTO backups (id, project_id, user_id, volume_id, volume_path, volume_bytes, size_gib, algorithm,
         parent_id, snapshot_id, created_at, data_timestamp, availability_zone,
         host, backend, status, placed, object_count, stored_bytes, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', '', 0, 0, 0, '')",
    )
    .bind(record.id.to_string())
    .bind(&record.project_id)
    .bind(&record.user_id)
    .bind(record.volume_id.to_string())
    .bind(&record.volume_path)
    .bind(integer(record.volume_bytes)?)
    .bind(integer(record.size_gib)?)
    .bind(&record.algorithm)
    .bind(record.parent_id.map(|id| id.to_string()))
    .bind(record.snapshot_id.map(|id| id.to_string()))
    .bind(text(record.created_at))
    .bind(text(record.data_timestamp))
    .bind(&record.availability_zone)
    .execute(&mut *connection)
    .await?;
    update(connection, &record).await?;
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
    update(connection, &found).await?;
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

/// Writes everything that may change.
async fn update(connection: &mut SqliteConnection, record: &BackupRecord) -> Result<()> {
    sqlx::query(
        "UPDATE backups SET host = ?, backend = ?, driver = ?, status = ?, placed = ?, name = ?, description = ?,
         container = ?, prefix = ?, object_size = ?, block_size = ?, object_count = ?, stored_bytes = ?,
         metadata_seal = ?, sha256file_seal = ?, fail_code = ?, fail_reason = ?, updated_at = ?, verified_at = ?,
         verify_result = ?, metadata = ?, restore_volume_id = ?, scheduling = ?, request_id = ? WHERE id = ?",
    )
    .bind(&record.host)
    .bind(&record.backend)
    .bind(&record.driver)
    .bind(record.status.as_str())
    .bind(record.placed)
    .bind(&record.name)
    .bind(&record.description)
    .bind(&record.container)
    .bind(&record.prefix)
    .bind(record.object_size.map(integer).transpose()?)
    .bind(record.block_size)
    .bind(integer(record.object_count)?)
    .bind(integer(record.stored_bytes)?)
    .bind(&record.metadata_seal)
    .bind(&record.sha256file_seal)
    .bind(&record.fail_code)
    .bind(reason(record.fail_reason.as_ref()))
    .bind(text(record.updated_at))
    .bind(record.verified_at.map(text))
    .bind(&record.verify_result)
    .bind(json(&record.metadata)?)
    .bind(record.restore_volume_id.map(|id| id.to_string()))
    .bind(&record.scheduling)
    .bind(&record.request_id)
    .bind(record.id.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// See [`crate::Repository::unfinished`].
pub(super) async fn unfinished(pool: &SqlitePool) -> Result<Vec<BackupRecord>> {
    let rows = sqlx::query(
        "SELECT r.*, EXISTS (SELECT 1 FROM backups AS child WHERE child.parent_id = r.id
         AND child.deleted_at IS NULL) AS has_dependents
         FROM backups AS r
         WHERE status IN ('creating', 'restoring', 'deleting') AND deleted_at IS NULL ORDER BY created_at, id",
    )
    .fetch_all(pool)
    .await?;
    rows.iter().map(BackupRecord::read).collect()
}

/// See [`crate::Repository::available`]. By id or path, because a chain that was adopted keeps the id that it came with.
pub(super) async fn available(pool: &SqlitePool, volume: VolumeId, path: &str) -> Result<Vec<BackupRecord>> {
    let rows = sqlx::query(
        "SELECT r.*, EXISTS (SELECT 1 FROM backups AS child WHERE child.parent_id = r.id
         AND child.deleted_at IS NULL) AS has_dependents
         FROM backups AS r WHERE id IN (
             SELECT id FROM backups WHERE volume_id = ? AND deleted_at IS NULL
             UNION SELECT id FROM backups WHERE volume_path = ? AND deleted_at IS NULL)
         AND status = 'available' AND deleted_at IS NULL ORDER BY data_timestamp DESC, id DESC",
    )
    .bind(volume.to_string())
    .bind(path)
    .fetch_all(pool)
    .await?;
    rows.iter().map(BackupRecord::read).collect()
}

/// See [`crate::Repository::unverified_since`].
pub(super) async fn unverified_since(pool: &SqlitePool, before: Timestamp) -> Result<Vec<BackupId>> {
    let rows = sqlx::query(
        "SELECT id FROM backups WHERE status = 'available' AND deleted_at IS NULL
         AND coalesce(verified_at, updated_at) < ? ORDER BY coalesce(verified_at, updated_at) LIMIT 100",
    )
    .bind(text(before))
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| parsed(row, "id")).collect()
}

/// See [`crate::Repository::placed`].
pub(super) async fn placed(pool: &SqlitePool, backend: &str) -> Result<Vec<(BackupRecord, bool)>> {
    let rows = sqlx::query(
        "SELECT r.*, EXISTS (SELECT 1 FROM backups AS child WHERE child.parent_id = r.id
         AND child.deleted_at IS NULL) AS has_dependents
         FROM backups AS r WHERE backend = ? AND placed ORDER BY created_at, id",
    )
    .bind(backend)
    .fetch_all(pool)
    .await?;
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
