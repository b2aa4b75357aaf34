//! What is particular to SQLite: the file, its checks, its schema's ways, and the plans of its queries.

mod check;
mod migration;
mod plans;

use jiff::Timestamp;
use uuid::Uuid;

use crate::{BackupId, BackupRecord, BackupStatus, Catalog, CatalogError, Change, Repository, VolumeId};

fn record(second: i64) -> BackupRecord {
    let now = Timestamp::from_second(second).unwrap();
    let mut record = BackupRecord::new(BackupId(Uuid::new_v4()), VolumeId(Uuid::new_v4()), now);
    record.backend = "b".into();
    record.name = Some("nightly é".into());
    record.volume_bytes = 12;
    record
}

async fn catalog() -> (tempfile::TempDir, Catalog) {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(&folder.path().join("c.sqlite")).await.unwrap();
    (folder, catalog)
}

#[tokio::test]
async fn what_was_recorded_is_there_after_a_crash() {
    let (folder, catalog) = catalog().await;
    let mut made = record(1);
    catalog.insert(&made).await.unwrap();
    let mut change = Change::to(BackupStatus::Available);
    change.object_count = Some(3);
    change.prefix = Some("p".into());
    let changed = catalog
        .transition(made.id, &[BackupStatus::Creating], change)
        .await
        .unwrap();
    // No close: as when the process is killed.
    std::mem::forget(catalog);
    let catalog = Catalog::open(&folder.path().join("c.sqlite")).await.unwrap();
    let found = catalog.backup(made.id).await.unwrap();
    (made.status, made.object_count, made.prefix) = (BackupStatus::Available, 3, Some("p".into()));
    made.updated_at = changed.updated_at;
    // Times are kept to the microsecond.
    assert!(found.updated_at.duration_since(made.updated_at).abs() < jiff::SignedDuration::from_micros(1));
    made.updated_at = found.updated_at;
    assert_eq!(found, made);
}

#[tokio::test]
async fn a_newer_a_damaged_and_a_foreign_file_are_refused_by_name() {
    let (folder, catalog) = catalog().await;
    let path = folder.path().join("c.sqlite");
    sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (99, 'x', 1, x'00', 0)")
        .execute(catalog.writer())
        .await
        .unwrap();
    catalog.close().await;
    let newer = Catalog::open(&path).await.unwrap_err();
    assert!(
        matches!(
            newer,
            CatalogError::Newer {
                found: 99,
                known: 4,
                ..
            }
        ),
        "{newer}"
    );

    let text = folder.path().join("text");
    std::fs::write(
        &text,
        "this is no database, and long enough to be looked at as one",
    )
    .unwrap();
    let foreign = Catalog::open(&text).await.unwrap_err().to_string();
    assert!(foreign.contains("text cannot be opened"), "{foreign}");

    let missing = Catalog::open(&folder.path().join("no/such/folder"))
        .await
        .unwrap_err()
        .to_string();
    assert!(missing.contains("no/such/folder"), "{missing}");
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.sqlite");
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true);
    let other = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("CREATE TABLE recipes (name TEXT)")
        .execute(&other)
        .await
        .unwrap();
    let refused = Catalog::open(&path).await.unwrap_err().to_string();
    assert!(
        refused.contains("other.sqlite") && refused.contains("another program"),
        "{refused}"
    );
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_master")
        .fetch_all(&other)
        .await
        .unwrap();
    assert_eq!(tables, ["recipes"]);
}

#[tokio::test]
async fn a_catalog_with_a_damaged_page_is_refused_by_name() {
    let (folder, catalog) = catalog().await;
    for second in 0..200 {
        catalog.insert(&record(second)).await.unwrap();
    }
    catalog.close().await;
    let path = folder.path().join("c.sqlite");
    let mut bytes = std::fs::read(&path).unwrap();
    let half = bytes.len() / 2 / 4096 * 4096;
    bytes[half..half + 4096].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let refused = Catalog::open(&path).await.unwrap_err();
    assert!(matches!(refused, CatalogError::Open { .. }), "{refused}");
    assert!(refused.to_string().contains("c.sqlite"), "{refused}");
}

#[test]
fn the_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (folder, _catalog) = runtime.block_on(catalog());
    let mode = std::fs::metadata(folder.path().join("c.sqlite"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_services_on_one_file_exactly_one_owns_a_backup_and_none_fails_otherwise() {
    let (folder, first) = catalog().await;
    let second = Catalog::open(&folder.path().join("c.sqlite")).await.unwrap();
    for turn in 0..20 {
        let made = record(turn);
        first.insert(&made).await.unwrap();
        let claim = |catalog: &Catalog| {
            let catalog = catalog.clone();
            let (owner, ttl) = (Uuid::new_v4(), std::time::Duration::from_secs(3600));
            tokio::spawn(async move { catalog.claim(made.id, owner, ttl).await })
        };
        let outcomes = [claim(&first), claim(&second), claim(&first), claim(&second)];
        let mut owners = 0;
        for outcome in outcomes {
            match outcome.await.unwrap() {
                Ok(_) => owners += 1,
                Err(CatalogError::Claimed { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(owners, 1);
    }
}
