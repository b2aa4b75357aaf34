//! Snapshots in SQLite: the row, and the steps that change it.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::list::{Stored, one};
use super::quotas;
use super::values::{integer, json, metadata, number, parsed, text};
use crate::columns::SnapshotColumn;
use crate::records::{
    Limits, Quota, SnapshotChange, SnapshotId, SnapshotRecord, SnapshotStatus, Subject, VolumeRecord,
    VolumeStatus,
};
use crate::{CatalogError, Result};

impl Stored for SnapshotRecord {
    type Column = SnapshotColumn;

    const SELECT: &'static str = "SELECT r.*";

    fn subject(id: Uuid) -> Subject {
        Subject::Snapshot(SnapshotId(id))
    }

    fn read(row: &SqliteRow) -> Result<Self> {
        Ok(SnapshotRecord {
            id: parsed(row, "id")?,
            project_id: row.try_get("project_id")?,
            user_id: row.try_get("user_id")?,
            volume_id: parsed(row, "volume_id")?,
            status: parsed(row, "status")?,
            name: row.try_get("name")?,
            description: row.try_get("description")?,
            size_gib: number(row, "size_gib")?,
            location: row.try_get("location")?,
            metadata: metadata(row)?,
            created_at: parsed(row, "created_at")?,
            updated_at: parsed(row, "updated_at")?,
        })
    }
}

/// Records a new snapshot of a volume that is there and is not being deleted.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    record: SnapshotRecord,
    limits: Option<Limits>,
) -> Result<SnapshotRecord> {
    super::check_free::<SnapshotRecord>(connection, record.id.0).await?;
    let volume: VolumeRecord = one(&mut *connection, record.volume_id.0).await?;
    if volume.status == VolumeStatus::Deleting {
        return Err(CatalogError::Conflict {
            subject: volume.id.into(),
            found: volume.status.as_str(),
        });
    }
    let resources = (Quota::Snapshots, Quota::Gigabytes);
    quotas::check(
        connection,
        &record.project_id,
        resources,
        limits,
        (1, record.size_gib),
    )
    .await?;
    store(connection, &record).await?;
    Ok(record)
}

/// Changes a snapshot that is in one of these statuses.
pub(super) async fn change(
    connection: &mut SqliteConnection,
    id: SnapshotId,
    from: &[SnapshotStatus],
    change: SnapshotChange,
) -> Result<SnapshotRecord> {
    let mut found: SnapshotRecord = one(&mut *connection, id.0).await?;
    let allowed = change
        .status
        .is_none_or(|next| found.status.allows(next, change.reset));
    if !from.contains(&found.status) || !allowed {
        return Err(conflict(&found));
    }
    change.apply(&mut found, Timestamp::now());
    store(connection, &found).await?;
    Ok(found)
}

/// Takes a snapshot that is `deleting` out of all lists.
pub(super) async fn delete(connection: &mut SqliteConnection, id: SnapshotId) -> Result<()> {
    let found: SnapshotRecord = one(&mut *connection, id.0).await?;
    if found.status != SnapshotStatus::Deleting {
        return Err(conflict(&found));
    }
    sqlx::query("UPDATE snapshots SET deleted_at = ? WHERE id = ?")
        .bind(text(Timestamp::now()))
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

fn conflict(found: &SnapshotRecord) -> CatalogError {
    CatalogError::Conflict {
        subject: found.id.into(),
        found: found.status.as_str(),
    }
}

/// Writes a record, new or changed.
async fn store(connection: &mut SqliteConnection, record: &SnapshotRecord) -> Result<()> {
    sqlx::query(
        "INSERT INTO snapshots (id, project_id, user_id, volume_id, status, name, description, size_gib, location,
         metadata, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET status = excluded.status, name = excluded.name,
         description = excluded.description, location = excluded.location, metadata = excluded.metadata,
         updated_at = excluded.updated_at",
    )
    .bind(record.id.to_string())
    .bind(&record.project_id)
    .bind(&record.user_id)
    .bind(record.volume_id.to_string())
    .bind(record.status.as_str())
    .bind(&record.name)
    .bind(&record.description)
    .bind(integer(record.size_gib)?)
    .bind(&record.location)
    .bind(json(&record.metadata)?)
    .bind(text(record.created_at))
    .bind(text(record.updated_at))
    .execute(connection)
    .await?;
    Ok(())
}
