//! The behaviour of a catalog, whatever database is behind it.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    BackupId, BackupQuery, BackupRecord, BackupStatus, Catalog, CatalogError, Change, EventRecord,
    Repository, ServiceRecord, VolumeId,
};

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

fn page(limit: u32, marker: Option<BackupId>) -> BackupQuery {
    BackupQuery {
        limit,
        marker: marker.map(|id| id.0),
        ..BackupQuery::default()
    }
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
async fn a_change_is_refused_from_another_status_and_against_the_table() {
    let (_folder, catalog) = catalog().await;
    let made = record(1);
    catalog.insert(&made).await.unwrap();
    let refused = catalog
        .transition(
            made.id,
            &[BackupStatus::Available],
            Change::to(BackupStatus::Restoring),
        )
        .await;
    assert!(matches!(
        refused,
        Err(CatalogError::Conflict {
            found: "creating",
            ..
        })
    ));
    let refused = catalog
        .transition(
            made.id,
            &[BackupStatus::Creating],
            Change::to(BackupStatus::Restoring),
        )
        .await;
    assert!(matches!(refused, Err(CatalogError::Conflict { .. })));
    let refused = catalog.soft_delete(made.id).await;
    assert!(matches!(refused, Err(CatalogError::Conflict { .. })));
    let unknown = catalog.backup(BackupId(Uuid::new_v4())).await;
    assert!(matches!(unknown, Err(CatalogError::NotFound(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_race_for_one_backup_exactly_one_wins() {
    let (_folder, catalog) = catalog().await;
    let mut made = record(1);
    made.status = BackupStatus::Available;
    catalog.insert(&made).await.unwrap();
    let racers: Vec<_> = (0..64)
        .map(|_| {
            let (catalog, id) = (catalog.clone(), made.id);
            let claim = Change::to(BackupStatus::Deleting);
            tokio::spawn(async move {
                catalog
                    .transition(id, &[BackupStatus::Available], claim)
                    .await
                    .is_ok()
            })
        })
        .collect();
    let mut winners = 0;
    for racer in racers {
        winners += u32::from(racer.await.unwrap());
    }
    assert_eq!(winners, 1);
}

#[tokio::test]
async fn lists_are_newest_first_page_by_page_and_without_the_deleted() {
    let (_folder, catalog) = catalog().await;
    let mut ids = Vec::new();
    for second in [3, 1, 2, 2] {
        let made = record(second);
        catalog.insert(&made).await.unwrap();
        ids.push((second, made.id.to_string(), made.id));
    }
    ids.sort();
    ids.reverse();
    let mut paged = Vec::new();
    let mut marker = None;
    loop {
        let page = catalog.list_backups(&page(3, marker)).await.unwrap();
        paged.extend(page.iter().map(|record| record.id));
        marker = page.last().map(|record| record.id);
        if page.len() < 3 {
            break;
        }
    }
    assert_eq!(paged, ids.iter().map(|(.., id)| *id).collect::<Vec<_>>());
    let first = paged[0];
    for (from, to) in [
        (BackupStatus::Creating, BackupStatus::Error),
        (BackupStatus::Error, BackupStatus::Deleting),
    ] {
        catalog
            .transition(first, &[from], Change::failed(to, "c", "r"))
            .await
            .unwrap();
    }
    assert_eq!(catalog.unfinished().await.unwrap().len(), 4);
    catalog.soft_delete(first).await.unwrap();
    assert_eq!(catalog.list_backups(&page(10, None)).await.unwrap().len(), 3);
    assert_eq!(catalog.unfinished().await.unwrap().len(), 3);
}

#[tokio::test]
async fn dependents_are_derived_from_the_records() {
    let (_folder, catalog) = catalog().await;
    let parent = record(1);
    let mut child = record(2);
    child.parent_id = Some(parent.id);
    catalog.insert(&parent).await.unwrap();
    let error = catalog.insert(&child).await.unwrap_err();
    assert!(
        matches!(error, CatalogError::Conflict { subject, .. } if subject == parent.id.into()),
        "{error}"
    );
    let done = Change::to(BackupStatus::Available);
    catalog
        .transition(parent.id, &[BackupStatus::Creating], done)
        .await
        .unwrap();
    assert_eq!(catalog.available(parent.volume_id, "").await.unwrap().len(), 1);
    catalog.insert(&child).await.unwrap();
    let chain = catalog.chain(child.id).await.unwrap();
    assert_eq!(
        chain.iter().map(|record| record.id).collect::<Vec<_>>(),
        [child.id, parent.id]
    );
    let delete = |id| catalog.transition(id, &[BackupStatus::Available], Change::to(BackupStatus::Deleting));
    let error = delete(parent.id).await.unwrap_err();
    assert!(
        matches!(error, CatalogError::HasDependents(id) if id == parent.id.into()),
        "{error}"
    );
    let failed = Change::failed(BackupStatus::Error, "c", "r");
    catalog
        .transition(child.id, &[BackupStatus::Creating], failed)
        .await
        .unwrap();
    let deleting = Change::to(BackupStatus::Deleting);
    catalog
        .transition(child.id, &[BackupStatus::Error], deleting)
        .await
        .unwrap();
    catalog.soft_delete(child.id).await.unwrap();
    delete(parent.id).await.unwrap();
}

fn service(name: &str) -> ServiceRecord {
    ServiceRecord {
        name: name.into(),
        host: "h".into(),
        removed: false,
        status: "{}".into(),
        heartbeat: Some(Timestamp::from_second(4).unwrap()),
        report_count: 0,
        updated_at: Timestamp::from_second(5).unwrap(),
    }
}

fn event(backend: &str, second: i64) -> EventRecord {
    EventRecord {
        number: 0,
        host: "h".into(),
        backend: backend.into(),
        kind: "backup.backend.state".into(),
        at: Timestamp::from_second(second).unwrap(),
        payload: format!("{{\"second\":{second}}}"),
    }
}

#[tokio::test]
async fn services_are_recorded_counted_removed_and_forgotten() {
    let (_folder, catalog) = catalog().await;
    let mut first = service("b");
    for _ in 0..3 {
        catalog
            .record(std::slice::from_ref(&first), &[], 10)
            .await
            .unwrap();
    }
    first.report_count = 3;
    assert_eq!(catalog.services().await.unwrap(), [first.clone()]);
    let mut never_up = service("c");
    never_up.heartbeat = None;
    catalog.record(&[never_up], &[], 10).await.unwrap();
    first.removed = true;
    catalog.record(&[first], &[], 10).await.unwrap();
    let left = catalog.services().await.unwrap();
    assert_eq!(
        (left.len(), left[0].name.as_str(), left[0].heartbeat),
        (1, "c", None)
    );
    catalog.forget_services("other").await.unwrap();
    assert_eq!(catalog.services().await.unwrap().len(), 1);
    catalog.forget_services("h").await.unwrap();
    assert!(catalog.services().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_history_keeps_the_newest_events_of_each_backend_and_reads_on_from_a_number() {
    let (_folder, catalog) = catalog().await;
    for second in 0..30 {
        let events = [event("a", second), event("b", second)];
        catalog
            .record(&[], &events[..if second < 5 { 2 } else { 1 }], 10)
            .await
            .unwrap();
    }
    let seconds =
        |events: Vec<EventRecord>| -> Vec<i64> { events.iter().map(|event| event.at.as_second()).collect() };
    let of_a = catalog.events("h", Some("a"), None, 100).await.unwrap();
    assert_eq!(
        seconds(of_a.clone()),
        (20..30).collect::<Vec<_>>(),
        "the newest ten, oldest first"
    );
    assert_eq!(
        seconds(catalog.events("h", Some("b"), None, 100).await.unwrap()),
        (0..5).collect::<Vec<_>>(),
        "another backend's events push none out"
    );
    assert_eq!(
        seconds(catalog.events("h", None, None, 3).await.unwrap()),
        [27, 28, 29]
    );
    let after = of_a[3].number;
    assert_eq!(
        seconds(catalog.events("h", Some("a"), Some(after), 2).await.unwrap()),
        [24, 25]
    );
    assert!(catalog.events("other", None, None, 3).await.unwrap().is_empty());
    assert!(of_a.windows(2).all(|pair| pair[0].number < pair[1].number));
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
                known: 3,
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

#[tokio::test]
async fn an_id_that_is_taken_is_not_written_over() {
    let (_folder, catalog) = catalog().await;
    let mut made = record(1);
    catalog.insert(&made).await.unwrap();
    catalog
        .transition(
            made.id,
            &[BackupStatus::Creating],
            Change::to(BackupStatus::Available),
        )
        .await
        .unwrap();
    made.name = Some("another".into());
    assert!(matches!(catalog.insert(&made).await, Err(CatalogError::Exists(id)) if id == made.id.into()));
    assert_eq!(
        catalog.backup(made.id).await.unwrap().status,
        BackupStatus::Available
    );
    catalog
        .transition(
            made.id,
            &[BackupStatus::Available],
            Change::to(BackupStatus::Deleting),
        )
        .await
        .unwrap();
    catalog.soft_delete(made.id).await.unwrap();
    assert!(matches!(
        catalog.insert(&made).await,
        Err(CatalogError::Exists(_))
    ));
    assert!(matches!(
        catalog.backup(made.id).await,
        Err(CatalogError::NotFound(_))
    ));
}

#[tokio::test]
async fn of_all_changes_of_status_only_those_of_the_table_are_made() {
    let (_folder, catalog) = catalog().await;
    let mut made = Vec::new();
    for &from in BackupStatus::ALL {
        for &to in BackupStatus::ALL {
            let mut record = record(1);
            record.status = from;
            catalog.insert(&record).await.unwrap();
            let outcome = catalog
                .transition(record.id, BackupStatus::ALL, Change::to(to))
                .await;
            let expected = if outcome.is_ok() { to } else { from };
            assert_eq!(
                catalog.backup(record.id).await.unwrap().status,
                expected,
                "{from} to {to}"
            );
            if outcome.is_ok() && from != to {
                made.push((from.as_str(), to.as_str()));
            }
        }
    }
    let drawn = [
        ("creating", "available"),
        ("creating", "error"),
        ("available", "restoring"),
        ("available", "deleting"),
        ("restoring", "available"),
        ("deleting", "error_deleting"),
        ("error", "deleting"),
        ("error_deleting", "deleting"),
    ];
    assert_eq!(made, drawn);
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
