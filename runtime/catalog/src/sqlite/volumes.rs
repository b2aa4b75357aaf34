//! Volumes in SQLite: the row, and the steps that change it.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::list::{Stored, one};
use super::quotas;
use super::values::{integer, json, metadata, number, parsed, parsed_option, reason, text};
use crate::columns::VolumeColumn;
use crate::records::{Limits, Quota, Subject, VolumeChange, VolumeId, VolumeRecord, VolumeStatus};
use crate::{CatalogError, Result};

/// What a volume counts against.
const RESOURCES: (Quota, Quota) = (Quota::Volumes, Quota::Gigabytes);

impl Stored for VolumeRecord {
    type Column = VolumeColumn;

    const SELECT: &'static str = "SELECT r.*";

    fn subject(id: Uuid) -> Subject {
        Subject::Volume(VolumeId(id))
    }

    fn read(row: &SqliteRow) -> Result<Self> {
        Ok(VolumeRecord {
            id: parsed(row, "id")?,
            project_id: row.try_get("project_id")?,
            user_id: row.try_get("user_id")?,
            status: parsed(row, "status")?,
            previous_status: parsed_option(row, "previous_status")?,
            name: row.try_get("name")?,
            description: row.try_get("description")?,
            size_gib: number(row, "size_gib")?,
            location: row.try_get("location")?,
            managed: row.try_get("managed")?,
            volume_type: row.try_get("volume_type")?,
            availability_zone: row.try_get("availability_zone")?,
            bootable: row.try_get("bootable")?,
            read_only: row.try_get("read_only")?,
            metadata: metadata(row)?,
            snapshot_id: parsed_option(row, "snapshot_id")?,
            source_volume_id: parsed_option(row, "source_volume_id")?,
            backup_id: parsed_option(row, "backup_id")?,
            fail_reason: row.try_get("fail_reason")?,
            created_at: parsed(row, "created_at")?,
            updated_at: parsed(row, "updated_at")?,
        })
    }
}

/// Records a new volume.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    record: VolumeRecord,
    limits: Option<Limits>,
) -> Result<VolumeRecord> {
    super::check_free::<VolumeRecord>(connection, record.id.0).await?;
    quotas::check(
        connection,
        &record.project_id,
        RESOURCES,
        limits,
        (1, record.size_gib),
    )
    .await?;
    store(connection, &record).await?;
    Ok(record)
}

/// Changes a volume that is in one of these statuses.
pub(super) async fn change(
    connection: &mut SqliteConnection,
    id: VolumeId,
    from: &[VolumeStatus],
    change: VolumeChange,
    limits: Option<Limits>,
) -> Result<VolumeRecord> {
    let mut found: VolumeRecord = one(&mut *connection, id.0).await?;
    let allowed = change
        .status
        .is_none_or(|next| found.status.allows(next, change.reset));
    if !from.contains(&found.status) || !allowed {
        return Err(conflict(&found));
    }
    if change.status == Some(VolumeStatus::Deleting) {
        check_no_snapshots(connection, id).await?;
    }
    let grows = change.size_gib.unwrap_or(0).saturating_sub(found.size_gib);
    quotas::check(connection, &found.project_id, RESOURCES, limits, (0, grows)).await?;
    change.apply(&mut found, Timestamp::now());
    store(connection, &found).await?;
    Ok(found)
}

/// Takes a volume that is `deleting` out of all lists.
pub(super) async fn delete(connection: &mut SqliteConnection, id: VolumeId) -> Result<()> {
    let found: VolumeRecord = one(&mut *connection, id.0).await?;
    if found.status != VolumeStatus::Deleting {
        return Err(conflict(&found));
    }
    check_no_snapshots(connection, id).await?;
    sqlx::query("UPDATE volumes SET deleted_at = ? WHERE id = ?")
        .bind(text(Timestamp::now()))
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

fn conflict(found: &VolumeRecord) -> CatalogError {
    CatalogError::Conflict {
        subject: found.id.into(),
        found: found.status.as_str(),
    }
}

async fn check_no_snapshots(connection: &mut SqliteConnection, id: VolumeId) -> Result<()> {
    let found: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM snapshots WHERE volume_id = ? AND deleted_at IS NULL)",
    )
    .bind(id.to_string())
    .fetch_one(connection)
    .await?;
    if found {
        return Err(CatalogError::HasDependents(id.into()));
    }
    Ok(())
}

/// Writes a record, new or changed.
async fn store(connection: &mut SqliteConnection, record: &VolumeRecord) -> Result<()> {
    sqlx::query(
        "INSERT INTO volumes (id, project_id, user_id, status, previous_status, name, description, size_gib, location,
         managed, volume_type, availability_zone, bootable, read_only, metadata, snapshot_id, source_volume_id,
         backup_id, fail_reason, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET status = excluded.status, previous_status = excluded.previous_status,
         name = excluded.name, description = excluded.description, size_gib = excluded.size_gib,
         location = excluded.location, managed = excluded.managed, volume_type = excluded.volume_type,
         availability_zone = excluded.availability_zone, bootable = excluded.bootable, read_only = excluded.read_only,
         metadata = excluded.metadata, backup_id = excluded.backup_id, fail_reason = excluded.fail_reason,
         updated_at = excluded.updated_at",
    )
    .bind(record.id.to_string())
    .bind(&record.project_id)
    .bind(&record.user_id)
    .bind(record.status.as_str())
    .bind(record.previous_status.map(VolumeStatus::as_str))
    .bind(&record.name)
    .bind(&record.description)
    .bind(integer(record.size_gib)?)
    .bind(&record.location)
    .bind(record.managed)
    .bind(&record.volume_type)
    .bind(&record.availability_zone)
    .bind(record.bootable)
    .bind(record.read_only)
    .bind(json(&record.metadata)?)
    .bind(record.snapshot_id.map(|id| id.to_string()))
    .bind(record.source_volume_id.map(|id| id.to_string()))
    .bind(record.backup_id.map(|id| id.to_string()))
    .bind(reason(record.fail_reason.as_ref()))
    .bind(text(record.created_at))
    .bind(text(record.updated_at))
    .execute(connection)
    .await?;
    Ok(())
}
