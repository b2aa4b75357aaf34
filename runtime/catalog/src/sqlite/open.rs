//! Opening the catalog's file: it is made when it is not there, checked, and brought to this version's schema.

use std::borrow::Cow;
use std::fmt::Display;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::{CatalogError, Result};

/// All migrations, oldest first.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "first", include_str!("../migrations/0001_first.sql")),
    (2, "services", include_str!("../migrations/0002_services.sql")),
    (3, "volumes", include_str!("../migrations/0003_volumes.sql")),
];

/// Connections for readers.
const READERS: u32 = 4;

/// One connection to write, and several to read.
pub(super) async fn open(path: &Path) -> Result<(SqlitePool, SqlitePool)> {
    let unusable = |error: &dyn Display| CatalogError::Open {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| unusable(&error))?;
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
    let writer = pool(1).await.map_err(|error| unusable(&error))?;
    let check: String = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(&writer)
        .await
        .map_err(|error| unusable(&error))?;
    if check != "ok" {
        return Err(unusable(&format!("it is damaged: {check}")));
    }
    check_version(&writer, path).await?;
    let migrations = MIGRATIONS.iter().map(|(version, name, sql)| {
        let sql = sqlx::SqlStr::from_static(sql);
        Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, sql, false)
    });
    let migrator = Migrator::with_migrations(migrations.collect());
    migrator.run(&writer).await.map_err(|error| unusable(&error))?;
    let readers = pool(READERS).await.map_err(|error| unusable(&error))?;
    Ok((writer, readers))
}

/// Refuses what a newer version or another program wrote.
async fn check_version(pool: &SqlitePool, path: &Path) -> Result<()> {
    let unusable = |error: &dyn Display| CatalogError::Open {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    let known = MIGRATIONS.last().map_or(0, |(version, ..)| *version);
    let count = |query: &'static str| sqlx::query_scalar::<_, i64>(query).fetch_one(pool);
    let ours = count("SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
        .await
        .map_err(|error| unusable(&error))?;
    if ours == 0 {
        let others = count("SELECT count(*) FROM sqlite_master")
            .await
            .map_err(|error| unusable(&error))?;
        if others != 0 {
            return Err(unusable(&"it is the database of another program"));
        }
        return Ok(());
    }
    let found: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(pool)
        .await
        .map_err(|error| unusable(&error))?;
    match found {
        Some(found) if found > known => Err(CatalogError::Newer {
            path: path.display().to_string(),
            found,
            known,
        }),
        _ => Ok(()),
    }
}
