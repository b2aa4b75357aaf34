//! Opening the catalog's file: it is made when it is not there, checked, and brought to this version's schema.
//!
//! A damaged file must not be served from, but looking at every page of a great one would hold the start up for many seconds.
//! So a small file is looked at here, and of a great one only what opening reads; [`Catalog::check_pages`] looks at the rest
//! beside the running service, on a connection of its own.

use std::borrow::Cow;
use std::fmt::Display;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, SqliteConnection};

use super::Catalog;
use crate::{CatalogError, Result};

/// All migrations, oldest first.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "first", include_str!("../migrations/0001_first.sql")),
    (2, "services", include_str!("../migrations/0002_services.sql")),
    (3, "volumes", include_str!("../migrations/0003_volumes.sql")),
    (4, "holds", include_str!("../migrations/0004_holds.sql")),
];

/// Connections for readers.
const READERS: u32 = 4;

/// Pages that a connection keeps, in KiB (as SQLite writes them, negative): they are taken as they are needed.
const CACHE_KIB: &str = "-16384";

/// Bytes of a file that is looked at as a whole when it is opened: some tens of milliseconds.
const SMALL: u64 = 16 << 20;

/// An error that names the file.
fn unusable(path: &Path, error: &dyn Display) -> CatalogError {
    CatalogError::Open {
        path: path.display().to_string(),
        reason: error.to_string(),
    }
}

impl Catalog {
    /// Opens the catalog, makes it (mode 0600) when it is not there, and brings its schema up to date.
    ///
    /// # Errors
    /// [`CatalogError::Open`] for a file that is no sound catalog, [`CatalogError::Newer`] for one from a newer version.
    pub async fn open(path: &Path) -> Result<Catalog> {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| unusable(path, &error))?;
        let length = file.metadata().map_err(|error| unusable(path, &error))?.len();
        let looked_at = length <= SMALL;
        let writer = pool(path, 1).await?;
        if looked_at {
            let mut connection = writer.acquire().await.map_err(|error| unusable(path, &error))?;
            let found = quick_check(&mut connection).await;
            if let Some(damage) = found.map_err(|error| unusable(path, &error))? {
                return Err(unusable(path, &format!("it is damaged: {damage}")));
            }
        }
        check_version(&writer, path).await?;
        migrations()
            .run(&writer)
            .await
            .map_err(|error| unusable(path, &error))?;
        let readers = pool(path, READERS).await?;
        Ok(Catalog {
            writer,
            readers,
            looked_at,
        })
    }

    /// Opens a catalog to look at it or to copy it, whether a service uses it or not. Nothing is made, migrated or checked.
    ///
    /// # Errors
    /// As [`Catalog::open`]; also when there is none.
    pub async fn look_at(path: &Path) -> Result<Catalog> {
        std::fs::metadata(path).map_err(|error| unusable(path, &error))?;
        let writer = pool(path, 1).await?;
        let found = check_version(&writer, path).await?;
        if found < known() {
            let reason = format!(
                "it has schema {found}, and this version knows {}: start the service once, which brings it up to date",
                known()
            );
            return Err(unusable(path, &reason));
        }
        let readers = pool(path, READERS).await?;
        Ok(Catalog {
            writer,
            readers,
            looked_at: true,
        })
    }

    /// Whether every page was looked at when it was opened. Where not, [`Catalog::check_pages`] is to be called soon.
    pub fn was_looked_at(&self) -> bool {
        self.looked_at
    }

    /// Looks at every page, on a connection of its own: reading and writing go on beside it. Some seconds for each GiB.
    ///
    /// # Errors
    /// [`CatalogError::Damaged`] with the first damage.
    pub async fn check_pages(&self) -> Result<()> {
        let mut connection = self.readers.connect_options().connect().await?;
        match quick_check(&mut connection).await? {
            Some(damage) => Err(CatalogError::Damaged(damage)),
            None => Ok(()),
        }
    }
}

async fn pool(path: &Path, most: u32) -> Result<SqlitePool> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("cache_size", CACHE_KIB)
        .busy_timeout(Duration::from_secs(10));
    SqlitePoolOptions::new()
        .max_connections(most)
        .connect_with(options)
        .await
        .map_err(|error| unusable(path, &error))
}

/// The first damage of a page, if there is one.
async fn quick_check(connection: &mut SqliteConnection) -> Result<Option<String>> {
    let found: String = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(connection)
        .await?;
    Ok((found != "ok").then_some(found))
}

fn migrations() -> Migrator {
    let migrations = MIGRATIONS.iter().map(|(version, name, sql)| {
        let sql = sqlx::SqlStr::from_static(sql);
        Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(migrations.collect())
}

fn known() -> i64 {
    MIGRATIONS.last().map_or(0, |(version, ..)| *version)
}

/// The version of the schema. Refuses what a newer version or another program wrote.
async fn check_version(pool: &SqlitePool, path: &Path) -> Result<i64> {
    let count = |query: &'static str| sqlx::query_scalar::<_, i64>(query).fetch_one(pool);
    let ours = count("SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
        .await
        .map_err(|error| unusable(path, &error))?;
    if ours == 0 {
        let others = count("SELECT count(*) FROM sqlite_master")
            .await
            .map_err(|error| unusable(path, &error))?;
        if others != 0 {
            return Err(unusable(path, &"it is the database of another program"));
        }
        return Ok(0);
    }
    let found: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(pool)
        .await
        .map_err(|error| unusable(path, &error))?;
    let (found, known) = (found.unwrap_or(0), known());
    if found > known {
        return Err(CatalogError::Newer {
            path: path.display().to_string(),
            found,
            known,
        });
    }
    Ok(found)
}
