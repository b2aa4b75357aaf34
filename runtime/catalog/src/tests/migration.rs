//! From a database that an older version wrote.

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::{BackupQuery, Catalog, CatalogError, Repository};

/// A file as version 2 left it: its schema, its table of migrations, and rows of every kind that it knew.
async fn version_2(path: &std::path::Path) {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut old = options.connect().await.unwrap();
    let (first, second) = (
        include_str!("../migrations/0001_first.sql"),
        include_str!("../migrations/0002_services.sql"),
    );
    for sql in [
        "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL,
         installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL,
         execution_time BIGINT NOT NULL)",
        first,
        second,
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9)
         INSERT INTO backups (id, project_id, user_id, host, backend, availability_zone, status, placed, name, volume_id,
         volume_path, volume_bytes, size_gib, algorithm, object_count, stored_bytes, created_at, updated_at,
         data_timestamp, parent_id, deleted_at)
         SELECT printf('00000000-0000-4000-8000-%012d', i), 'p' || (i % 2), 'u', 'h', 'b', 'z', 'available', 1,
         iif(i = 1, NULL, 'n' || i), '00000000-0000-4000-8000-000000000000', '/v', 1, i, 'zlib', 1, 1,
         '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z',
         iif(i = 2, '00000000-0000-4000-8000-000000000001', NULL), iif(i = 9, '2026-01-02T00:00:00.000000Z', NULL)
         FROM n",
        "INSERT INTO services VALUES ('h', 'b', '{}', NULL, 7, '2026-01-01T00:00:00.000000Z')",
        "INSERT INTO events (host, backend, kind, at, payload) VALUES ('h', 'b', 'k', '2026-01-01T00:00:00.000000Z', '{}')",
    ] {
        sqlx::raw_sql(sql).execute(&mut old).await.unwrap();
    }
    // The digests that sqlx keeps of its migrations: a changed one is refused.
    for (version, name, sql) in [(1, "first", first), (2, "services", second)] {
        let migration = sqlx::migrate::Migration::new(
            version,
            name.into(),
            sqlx::migrate::MigrationType::Simple,
            sqlx::SqlStr::from_static(sql),
            false,
        );
        sqlx::query("INSERT INTO _sqlx_migrations VALUES (?, ?, '2026-01-01', 1, ?, 1)")
            .bind(version)
            .bind(name)
            .bind(migration.checksum.into_owned())
            .execute(&mut old)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_database_of_version_2_is_brought_up_to_date_with_all_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.sqlite");
    version_2(&path).await;
    let early = Catalog::look_at(&path).await.unwrap_err();
    assert!(early.to_string().contains("has schema 2"), "{early}");
    let catalog = Catalog::open(&path).await.unwrap();
    let all = catalog.list_backups(&BackupQuery::default()).await.unwrap();
    assert_eq!(all.len(), 8);
    let first = all.last().unwrap();
    assert!(first.has_dependents && first.metadata.is_empty() && first.name.is_none());
    let usage = catalog.usage("p1").await.unwrap();
    // Those of an odd number, without the ninth, which is deleted.
    assert_eq!((usage.backups.count, usage.backups.gigabytes), (4, 1 + 3 + 5 + 7));
    assert_eq!(catalog.services().await.unwrap()[0].report_count, 7);
    assert_eq!(catalog.events("h", None, None, 9).await.unwrap().len(), 1);
    let found: Vec<_> = catalog
        .check()
        .await
        .unwrap()
        .iter()
        .map(|finding| finding.rule)
        .collect();
    // The rows above have no place; a version that wrote them had one.
    assert_eq!(found, ["place"; 8]);
    catalog.close().await;
    Catalog::open(&path).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_migrated_is_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.sqlite");
    version_2(&path).await;
    let options = SqliteConnectOptions::new().filename(&path);
    let mut old = options.connect().await.unwrap();
    sqlx::raw_sql("CREATE TABLE switches (x TEXT)")
        .execute(&mut old)
        .await
        .unwrap();
    let refused = Catalog::open(&path).await.unwrap_err();
    assert!(matches!(refused, CatalogError::Open { .. }), "{refused}");
    let columns: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pragma_table_info('backups') WHERE name = 'metadata'")
            .fetch_one(&mut old)
            .await
            .unwrap();
    assert_eq!(columns, 0);
}
