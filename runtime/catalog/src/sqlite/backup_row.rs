//! The row of a backup: how a record is read from it and written to it.
//!
//! What may change is bound first and in one order, so that a new row and a changed one share it.

use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::list::Stored;
use super::values::{integer, json, metadata, number, number_option, parsed, parsed_option, reason, text};
use crate::Result;
use crate::columns::BackupColumn;
use crate::records::{BackupId, BackupRecord, Subject};

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
            held_volume_id: parsed_option(row, "held_volume_id")?,
            restore_volume_id: parsed_option(row, "restore_volume_id")?,
            scheduling: row.try_get("scheduling")?,
            request_id: row.try_get("request_id")?,
            has_dependents: row.try_get("has_dependents")?,
        })
    }
}

/// Writes a new row.
pub(super) async fn insert(connection: &mut SqliteConnection, record: &BackupRecord) -> Result<()> {
    let query = sqlx::query(
        "INSERT INTO backups (host, backend, driver, status, placed, name, description, container, prefix, object_size, block_size,
         object_count, stored_bytes, metadata_seal, sha256file_seal, fail_code, fail_reason, updated_at,
         verified_at, verify_result, metadata, restore_volume_id, scheduling, request_id, id, project_id,
         user_id, availability_zone, volume_id, volume_path, volume_bytes, size_gib, algorithm, parent_id,
         snapshot_id, held_volume_id, created_at, data_timestamp)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
         ?, ?, ?)",
    );
    changing(query, record)?
        .bind(&record.project_id)
        .bind(&record.user_id)
        .bind(&record.availability_zone)
        .bind(record.volume_id.to_string())
        .bind(&record.volume_path)
        .bind(integer(record.volume_bytes)?)
        .bind(integer(record.size_gib)?)
        .bind(&record.algorithm)
        .bind(record.parent_id.map(|id| id.to_string()))
        .bind(record.snapshot_id.map(|id| id.to_string()))
        .bind(record.held_volume_id.map(|id| id.to_string()))
        .bind(text(record.created_at))
        .bind(text(record.data_timestamp))
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes everything that may change.
pub(super) async fn update(connection: &mut SqliteConnection, record: &BackupRecord) -> Result<()> {
    let query = sqlx::query(
        "UPDATE backups SET host = ?, backend = ?, driver = ?, status = ?, placed = ?, name = ?, description = ?, container = ?,
         prefix = ?, object_size = ?, block_size = ?, object_count = ?, stored_bytes = ?, metadata_seal = ?,
         sha256file_seal = ?, fail_code = ?, fail_reason = ?, updated_at = ?, verified_at = ?,
         verify_result = ?, metadata = ?, restore_volume_id = ?, scheduling = ?, request_id = ?
         WHERE id = ?",
    );
    changing(query, record)?.execute(connection).await?;
    Ok(())
}

/// Binds what may change, and the id.
fn changing<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    record: &BackupRecord,
) -> Result<Query<'q, Sqlite, SqliteArguments>> {
    Ok(query
        .bind(record.host.clone())
        .bind(record.backend.clone())
        .bind(record.driver.clone())
        .bind(record.status.as_str())
        .bind(record.placed)
        .bind(record.name.clone())
        .bind(record.description.clone())
        .bind(record.container.clone())
        .bind(record.prefix.clone())
        .bind(record.object_size.map(integer).transpose()?)
        .bind(record.block_size)
        .bind(integer(record.object_count)?)
        .bind(integer(record.stored_bytes)?)
        .bind(record.metadata_seal.clone())
        .bind(record.sha256file_seal.clone())
        .bind(record.fail_code.clone())
        .bind(reason(record.fail_reason.as_ref()))
        .bind(text(record.updated_at))
        .bind(record.verified_at.map(text))
        .bind(record.verify_result.clone())
        .bind(json(&record.metadata)?)
        .bind(record.restore_volume_id.map(|id| id.to_string()))
        .bind(record.scheduling.clone())
        .bind(record.request_id.clone())
        .bind(record.id.to_string()))
}
