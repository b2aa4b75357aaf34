//! The plans of the queries that lists are made of: by an index, without sorting, whatever the number of rows.
//!
//! With a hundred thousand rows, and looked at by `EXPLAIN QUERY PLAN`, not by a clock.

use sqlx::Row;
use sqlx::sqlite::SqlitePool;

use super::{catalog, record};
use crate::sqlite::{AVAILABLE, PLACED, UNFINISHED, UNVERIFIED, plan};
use crate::{
    BackupColumn, BackupQuery, BackupRecord, BackupStatus, Direction, Filter, Repository, SnapshotQuery,
    VolumeQuery,
};

const ROWS: usize = 100_000;

fn whole() -> BackupRecord {
    let mut record = record(1);
    record.status = BackupStatus::Available;
    record.placed = true;
    (record.container, record.prefix) = (Some("c".into()), Some("p".into()));
    record
}

/// As fast as SQLite can: one record is made by the catalog, and copied in the database.
async fn filled(writer: &SqlitePool, rows: usize) {
    sqlx::query(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         INSERT INTO backups (id, project_id, user_id, host, backend, availability_zone, status, placed, name,
         volume_id, volume_path, volume_bytes, size_gib, algorithm, object_count, stored_bytes, created_at, updated_at,
         data_timestamp, container, prefix, parent_id)
         SELECT lower(hex(randomblob(4))) || '-0000-4000-8000-' || printf('%012x', i), 'p' || (i % 3), user_id, host,
         backend, availability_zone, iif(i % 10 = 0, 'error', 'available'), placed, iif(i % 7 = 0, NULL, 'n' || (i % 50)),
         volume_id, volume_path, volume_bytes, i % 90, algorithm, object_count, stored_bytes,
         strftime('%Y-%m-%dT%H:%M:%S', 1700000000 + i / 3, 'unixepoch') || '.000000Z', updated_at, data_timestamp, container, prefix,
         iif(i % 3 = 0, id, NULL) FROM n CROSS JOIN backups",
    )
    .bind(i64::try_from(rows).unwrap())
    .execute(writer)
    .await
    .unwrap();
}

#[tokio::test]
async fn lists_of_many_backups_are_read_from_an_index_and_never_sorted() {
    let (_folder, catalog) = catalog().await;
    let made = whole();
    catalog.insert(&made).await.unwrap();
    filled(catalog.writer(), ROWS).await;
    let rows = u64::try_from(ROWS).unwrap() + 1;
    assert_eq!(
        catalog.count_backups(&BackupQuery::default()).await.unwrap(),
        rows
    );
    for project in [None, Some("p1".to_owned())] {
        for column in [
            BackupColumn::CreatedAt,
            BackupColumn::Name,
            BackupColumn::Size,
            BackupColumn::Status,
        ] {
            for direction in [Direction::Ascending, Direction::Descending] {
                let mut query = BackupQuery {
                    project: project.clone(),
                    sort: vec![(column, direction)],
                    limit: 100,
                    offset: 300,
                    ..BackupQuery::default()
                };
                let first = catalog.list_backups(&query).await.unwrap();
                let skipping = plan::<BackupRecord>(&catalog, &query).await;
                // SQLite does not take an index for covering when it has a generated column.
                let alone = if column == BackupColumn::Name {
                    "USING INDEX"
                } else {
                    "USING COVERING INDEX"
                };
                check(&skipping, alone, &query);
                query.offset = 0;
                check(
                    &plan::<BackupRecord>(&catalog, &query).await,
                    "USING INDEX",
                    &query,
                );
                query.marker = Some(first[7].id.0);
                let behind = plan::<BackupRecord>(&catalog, &query).await;
                check(&behind, "SEARCH r USING INDEX", &query);
                assert!(
                    behind.contains(",id)") || behind.contains("id>") || behind.contains("id<"),
                    "{behind}"
                );
                let second = catalog.list_backups(&query).await.unwrap();
                assert_eq!(second[..92], first[8..], "{query:?}");
            }
        }
    }
    let by_id = BackupQuery {
        filters: vec![Filter::Equal(BackupColumn::VolumeId, made.volume_id.to_string())],
        ..BackupQuery::default()
    };
    let plan = plan::<BackupRecord>(&catalog, &by_id).await;
    assert!(!plan.contains("SCAN r\n"), "{plan}");
}

/// Only the rows of one page may be sorted again, after an offset.
fn check(plan: &str, index: &str, query: &BackupQuery) {
    let allowed = usize::from(query.offset > 0);
    assert!(plan.contains(index), "{query:?}:\n{plan}");
    assert!(
        plan.matches("TEMP B-TREE").count() <= allowed,
        "{query:?}:\n{plan}"
    );
    assert!(!plan.contains("SCAN child"), "{query:?}:\n{plan}");
}

#[tokio::test]
async fn the_questions_of_the_operations_are_answered_by_indices() {
    let (_folder, catalog) = catalog().await;
    for query in [
        UNFINISHED,
        AVAILABLE,
        UNVERIFIED,
        PLACED,
        "SELECT 1 FROM snapshots WHERE volume_id = 'x' AND deleted_at IS NULL",
        "DELETE FROM messages WHERE expires_at <= 'x'",
        "SELECT kind FROM usage WHERE project_id = 'x'",
    ] {
        let sql = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}"));
        let rows = sqlx::query(sql).fetch_all(catalog.writer()).await.unwrap();
        for row in rows {
            let line: String = row.get("detail");
            assert!(!line.starts_with("SCAN"), "{query}: {line}");
            let few = query == UNFINISHED || query == AVAILABLE;
            assert!(few || !line.contains("ORDER BY"), "{query}: {line}");
        }
    }
    let (volumes, snapshots) = (VolumeQuery::default(), SnapshotQuery::default());
    for plan in [
        plan::<crate::VolumeRecord>(&catalog, &volumes).await,
        plan::<crate::SnapshotRecord>(&catalog, &snapshots).await,
    ] {
        assert!(
            plan.contains("USING INDEX") && !plan.contains("TEMP B-TREE"),
            "{plan}"
        );
    }
}

#[tokio::test]
async fn many_backups_are_opened_without_looking_at_every_page() {
    let (folder, catalog) = catalog().await;
    assert!(catalog.was_looked_at());
    catalog.insert(&whole()).await.unwrap();
    filled(catalog.writer(), ROWS / 5).await;
    catalog.check_pages().await.unwrap();
    assert_eq!(catalog.check().await.unwrap(), []);
    catalog.close().await;
    let path = folder.path().join("c.sqlite");
    let catalog = crate::Catalog::open(&path).await.unwrap();
    assert!(!catalog.was_looked_at());
    catalog.close().await;

    let mut bytes = std::fs::read(&path).unwrap();
    let half = bytes.len() / 2 / 4096 * 4096;
    bytes[half..half + 4096].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let catalog = crate::Catalog::open(&path).await.unwrap();
    assert!(catalog.check_pages().await.is_err());
}
