//! The catalog on SQLite.

use std::borrow::Cow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Row, Sqlite, Transaction};
use uuid::Uuid;

use crate::CatalogError;
use crate::records::{BackupId, BackupRecord, BackupStatus, Change, VolumeId};

/// All migrations, oldest first.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "first", include_str!("migrations/0001_first.sql")),
    (2, "services", include_str!("migrations/0002_services.sql")),
];

/// Connections for readers.
const READERS: u32 = 4;

/// Longest reason that is recorded.
const MAX_REASON: usize = 4000;

/// The catalog of one state folder.
#[derive(Debug, Clone)]
pub struct Catalog {
    writer: SqlitePool,
    readers: SqlitePool,
}

pub(crate) type Result<T> = std::result::Result<T, CatalogError>;

impl Catalog {
    /// Opens the catalog, makes it (mode 0600) when it is not there, and brings its schema up to date.
    ///
    /// # Errors
    /// [`CatalogError::Open`] for a file that is no sound catalog, [`CatalogError::Newer`] for one from a newer version.
    pub async fn open(path: &Path) -> Result<Catalog> {
        let unusable = |reason: String| CatalogError::Open {
            path: path.display().to_string(),
            reason,
        };
        std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| unusable(error.to_string()))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let pool = |most| {
            SqlitePoolOptions::new()
                .max_connections(most)
                .connect_with(options.clone())
        };
        let writer = pool(1).await.map_err(|error| unusable(error.to_string()))?;
        let check: String = sqlx::query_scalar("PRAGMA quick_check(1)")
            .fetch_one(&writer)
            .await
            .map_err(|error| unusable(error.to_string()))?;
        if check != "ok" {
            return Err(unusable(format!("it is damaged: {check}")));
        }
        migrate(&writer, path).await?;
        let readers = pool(READERS).await.map_err(|error| unusable(error.to_string()))?;
        Ok(Catalog { writer, readers })
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Records a new backup.
    ///
    /// # Errors
    /// [`CatalogError::Exists`] when the id is taken, also by one that is deleted; [`CatalogError::NotFound`] or
    /// [`CatalogError::Conflict`] when the parent of an incremental backup is not there, or not `available`.
    pub async fn insert(&self, record: &BackupRecord) -> Result<()> {
        let mut transaction = self.begin().await?;
        let taken = sqlx::query("SELECT 1 FROM backups WHERE id = ?")
            .bind(record.id.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
        if taken.is_some() {
            return Err(CatalogError::Exists(record.id));
        }
        if let Some(parent) = record.parent_id {
            let found = locked(&mut transaction, parent).await?;
            if !matches!(found.status, BackupStatus::Available | BackupStatus::Restoring) {
                return Err(CatalogError::Conflict {
                    id: parent,
                    found: found.status,
                });
            }
        }
        store(&mut transaction, record).await?;
        Ok(transaction.commit().await?)
    }

    /// One backup.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn get(&self, id: BackupId) -> Result<BackupRecord> {
        let row = sqlx::query("SELECT * FROM backups WHERE id = ? AND deleted_at IS NULL")
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await?;
        record(&row.ok_or(CatalogError::NotFound(id))?)
    }

    /// Backups, newest first: at most `limit`, after the one that the marker names.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] for an unknown marker.
    pub async fn list(&self, limit: u32, marker: Option<BackupId>) -> Result<Vec<BackupRecord>> {
        let (before, id) = match marker {
            Some(marker) => (text(self.get(marker).await?.created_at), marker.to_string()),
            None => ("9999".to_owned(), String::new()),
        };
        let rows = sqlx::query(
            "SELECT * FROM backups WHERE deleted_at IS NULL AND (created_at, id) < (?, ?)
             ORDER BY created_at DESC, id DESC LIMIT ?",
        )
        .bind(before)
        .bind(id)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(record).collect()
    }

    /// Backups that a killed process left in the middle of something.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unfinished(&self) -> Result<Vec<BackupRecord>> {
        let rows = sqlx::query(
            "SELECT * FROM backups WHERE status IN ('creating', 'restoring', 'deleting') AND deleted_at IS NULL
             ORDER BY created_at, id",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(record).collect()
    }

    /// The available backups of a volume, by its id or its path, those of the newest data first: what an incremental one
    /// may build on. Both, because a chain that was adopted keeps the id that it came with.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn available(&self, volume: VolumeId, path: &str) -> Result<Vec<BackupRecord>> {
        let rows = sqlx::query(
            "SELECT * FROM backups WHERE (volume_id = ? OR volume_path = ?) AND status = 'available'
             AND deleted_at IS NULL ORDER BY data_timestamp DESC, id DESC",
        )
        .bind(volume.to_string())
        .bind(path)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(record).collect()
    }

    /// Available backups that were made, and last verified if ever, before that time; the longest ago first, at most 100.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unverified_since(&self, before: Timestamp) -> Result<Vec<BackupId>> {
        let rows = sqlx::query(
            "SELECT id FROM backups WHERE status = 'available' AND deleted_at IS NULL
             AND coalesce(verified_at, updated_at) < ? ORDER BY coalesce(verified_at, updated_at) LIMIT 100",
        )
        .bind(text(before))
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| Ok(BackupId(parsed::<Uuid>(row, "id")?)))
            .collect()
    }

    /// All backups that may have objects on a backend, and whether they are deleted; these too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn placed(&self, backend: &str) -> Result<Vec<(BackupRecord, bool)>> {
        let rows = sqlx::query("SELECT * FROM backups WHERE backend = ? AND placed ORDER BY created_at, id")
            .bind(backend)
            .fetch_all(&self.readers)
            .await?;
        let one = |row| {
            let deleted: Option<String> = SqliteRow::try_get(row, "deleted_at")?;
            Ok((record(row)?, deleted.is_some()))
        };
        rows.iter().map(one).collect()
    }

    /// A backup and those that it builds on, down to a full one.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] when one is not there; [`CatalogError::Damaged`] when they build on one another in a
    /// circle.
    pub async fn chain(&self, id: BackupId) -> Result<Vec<BackupRecord>> {
        let mut chain = vec![self.get(id).await?];
        while let Some(parent) = chain.last().and_then(|record| record.parent_id) {
            if chain.iter().any(|record| record.id == parent) {
                return Err(CatalogError::Damaged(format!("backup {parent} builds on itself")));
            }
            chain.push(self.get(parent).await?);
        }
        Ok(chain)
    }

    /// Changes a backup that is in one of these statuses, in one atomic step, and gives the record as it is then.
    ///
    /// # Errors
    /// [`CatalogError::HasDependents`] when it is to be deleted and incremental backups build on it.
    /// [`CatalogError::NotFound`]; [`CatalogError::Conflict`] when its status is another, or the table does not allow the
    /// change.
    pub async fn transition(
        &self,
        id: BackupId,
        from: &[BackupStatus],
        change: Change,
    ) -> Result<BackupRecord> {
        let mut transaction = self.begin().await?;
        let mut found = locked(&mut transaction, id).await?;
        let allowed = change
            .status
            .is_none_or(|next| next == found.status || found.status.may_become(next));
        if !from.contains(&found.status) || !allowed {
            return Err(CatalogError::Conflict {
                id,
                found: found.status,
            });
        }
        if change.status == Some(BackupStatus::Deleting) && dependents(&mut transaction, id).await? {
            return Err(CatalogError::HasDependents(id));
        }
        change.apply(&mut found, Timestamp::now());
        store(&mut transaction, &found).await?;
        transaction.commit().await?;
        Ok(found)
    }

    /// Takes a backup that is `deleting` out of all lists. The row stays.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`]; [`CatalogError::Conflict`] when it is not `deleting`.
    pub async fn soft_delete(&self, id: BackupId) -> Result<()> {
        let mut transaction = self.begin().await?;
        let found = locked(&mut transaction, id).await?;
        if found.status != BackupStatus::Deleting {
            return Err(CatalogError::Conflict {
                id,
                found: found.status,
            });
        }
        sqlx::query("UPDATE backups SET deleted_at = ? WHERE id = ?")
            .bind(text(Timestamp::now()))
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    #[cfg(test)]
    pub(crate) fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}

async fn migrate(pool: &SqlitePool, path: &Path) -> Result<()> {
    let unusable = |error: &dyn std::fmt::Display| CatalogError::Open {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    let known = MIGRATIONS.last().map_or(0, |(version, ..)| *version);
    let has_table: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
            .fetch_one(pool)
            .await
            .map_err(|error| unusable(&error))?;
    if has_table != 0 {
        let found: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
            .fetch_one(pool)
            .await
            .map_err(|error| unusable(&error))?;
        if let Some(found) = found
            && found > known
        {
            return Err(CatalogError::Newer {
                path: path.display().to_string(),
                found,
                known,
            });
        }
    } else {
        let others: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master")
            .fetch_one(pool)
            .await
            .map_err(|error| unusable(&error))?;
        if others != 0 {
            return Err(unusable(&"it is the database of another program"));
        }
    }
    let migrations = MIGRATIONS.iter().map(|(version, name, sql)| {
        let sql = sqlx::SqlStr::from_static(sql);
        Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, sql, false)
    });
    let migrator = Migrator::with_migrations(migrations.collect());
    migrator.run(pool).await.map_err(|error| unusable(&error))
}

async fn dependents(transaction: &mut Transaction<'static, Sqlite>, id: BackupId) -> Result<bool> {
    let found: i64 = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM backups WHERE parent_id = ? AND deleted_at IS NULL)",
    )
    .bind(id.to_string())
    .fetch_one(&mut **transaction)
    .await?;
    Ok(found != 0)
}

async fn locked(transaction: &mut Transaction<'static, Sqlite>, id: BackupId) -> Result<BackupRecord> {
    let row = sqlx::query("SELECT * FROM backups WHERE id = ? AND deleted_at IS NULL")
        .bind(id.to_string())
        .fetch_optional(&mut **transaction)
        .await?;
    record(&row.ok_or(CatalogError::NotFound(id))?)
}

/// Writes a record, new or changed.
async fn store(transaction: &mut Transaction<'static, Sqlite>, record: &BackupRecord) -> Result<()> {
    let reason = record
        .fail_reason
        .as_ref()
        .map(|reason| reason.chars().take(MAX_REASON).collect::<String>());
    sqlx::query(
        "INSERT INTO backups (id, project_id, user_id, host, backend, driver, availability_zone, status, placed, name,
         description, volume_id, volume_path, volume_bytes, size_gib, container, prefix, algorithm, object_size,
         block_size, object_count, stored_bytes, metadata_seal, sha256file_seal, parent_id,
         fail_code, fail_reason, created_at, updated_at,
         data_timestamp, verified_at, verify_result)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
         ?, ?)
         ON CONFLICT (id) DO UPDATE SET driver = excluded.driver, status = excluded.status, placed = excluded.placed,
         container = excluded.container, prefix = excluded.prefix, object_size = excluded.object_size,
         block_size = excluded.block_size, object_count = excluded.object_count, stored_bytes = excluded.stored_bytes,
         metadata_seal = excluded.metadata_seal, sha256file_seal = excluded.sha256file_seal,
         fail_code = excluded.fail_code, fail_reason = excluded.fail_reason, updated_at = excluded.updated_at,
         verified_at = excluded.verified_at, verify_result = excluded.verify_result",
    )
    .bind(record.id.to_string())
    .bind(&record.project_id)
    .bind(&record.user_id)
    .bind(&record.host)
    .bind(&record.backend)
    .bind(&record.driver)
    .bind(&record.availability_zone)
    .bind(record.status.as_str())
    .bind(record.placed)
    .bind(&record.name)
    .bind(&record.description)
    .bind(record.volume_id.to_string())
    .bind(&record.volume_path)
    .bind(integer(record.volume_bytes)?)
    .bind(integer(record.size_gib)?)
    .bind(&record.container)
    .bind(&record.prefix)
    .bind(&record.algorithm)
    .bind(record.object_size.map(integer).transpose()?)
    .bind(record.block_size)
    .bind(integer(record.object_count)?)
    .bind(integer(record.stored_bytes)?)
    .bind(&record.metadata_seal)
    .bind(&record.sha256file_seal)
    .bind(record.parent_id.map(|id| id.to_string()))
    .bind(&record.fail_code)
    .bind(reason)
    .bind(text(record.created_at))
    .bind(text(record.updated_at))
    .bind(text(record.data_timestamp))
    .bind(record.verified_at.map(text))
    .bind(&record.verify_result)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Microseconds always: then the texts sort as the times do.
pub(crate) fn text(time: Timestamp) -> String {
    format!("{time:.6}")
}

fn integer(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|_| CatalogError::Damaged(format!("{number} is too great a number")))
}

pub(crate) fn number(row: &SqliteRow, column: &str) -> Result<u64> {
    let value: i64 = row.try_get(column)?;
    u64::try_from(value).map_err(|_| CatalogError::Damaged(format!("{column} is {value}")))
}

pub(crate) fn parsed<T: FromStr>(row: &SqliteRow, column: &str) -> Result<T> {
    let value: String = row.try_get(column)?;
    value
        .parse()
        .map_err(|_| CatalogError::Damaged(format!("{column} is {value:?}")))
}

pub(crate) fn parsed_option<T: FromStr>(row: &SqliteRow, column: &str) -> Result<Option<T>> {
    let value: Option<String> = row.try_get(column)?;
    let parse = |value: String| {
        value
            .parse()
            .map_err(|_| CatalogError::Damaged(format!("{column} is {value:?}")))
    };
    value.map(parse).transpose()
}

fn record(row: &SqliteRow) -> Result<BackupRecord> {
    Ok(BackupRecord {
        id: BackupId(parsed::<Uuid>(row, "id")?),
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
        volume_id: VolumeId(parsed::<Uuid>(row, "volume_id")?),
        volume_path: row.try_get("volume_path")?,
        volume_bytes: number(row, "volume_bytes")?,
        size_gib: number(row, "size_gib")?,
        container: row.try_get("container")?,
        prefix: row.try_get("prefix")?,
        algorithm: row.try_get("algorithm")?,
        object_size: row
            .try_get::<Option<i64>, _>("object_size")?
            .map(|_| number(row, "object_size"))
            .transpose()?,
        block_size: row.try_get("block_size")?,
        object_count: number(row, "object_count")?,
        stored_bytes: number(row, "stored_bytes")?,
        metadata_seal: row.try_get("metadata_seal")?,
        sha256file_seal: row.try_get("sha256file_seal")?,
        parent_id: parsed_option::<Uuid>(row, "parent_id")?.map(BackupId),
        fail_code: row.try_get("fail_code")?,
        fail_reason: row.try_get("fail_reason")?,
        created_at: parsed(row, "created_at")?,
        updated_at: parsed(row, "updated_at")?,
        data_timestamp: parsed(row, "data_timestamp")?,
        verified_at: parsed_option(row, "verified_at")?,
        verify_result: row.try_get("verify_result")?,
    })
}
