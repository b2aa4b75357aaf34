//! Damage that is planted, a row of each kind, and copies of a catalog in use.

use super::{catalog, record};
use crate::{Catalog, CatalogError, Repository};

#[tokio::test]
async fn each_rule_finds_the_one_row_that_breaks_it() {
    for (rule, damage) in [
        ("status", "UPDATE backups SET status = 'odd' WHERE id = ?"),
        (
            "parent",
            "UPDATE backups SET parent_id = '00000000-0000-4000-8000-000000000000' WHERE id = ?",
        ),
        (
            "parent-status",
            "UPDATE backups SET status = 'error' WHERE id = (SELECT parent_id FROM backups WHERE id = ?)",
        ),
        (
            "parent-backend",
            "UPDATE backups SET backend = 'other' WHERE id = ?",
        ),
        ("chain", "UPDATE backups SET parent_id = id WHERE id = ?"),
        ("place", "UPDATE backups SET prefix = NULL WHERE id = ?"),
        ("claim", "UPDATE backups SET claim_owner = id WHERE id = ?"),
        (
            "usage",
            "UPDATE usage SET count = count + 1 WHERE project_id = (SELECT project_id FROM backups WHERE id = ?)",
        ),
        ("record", "UPDATE backups SET metadata = '[1' WHERE id = ?"),
        (
            "record",
            "UPDATE backups SET created_at = 'long ago' WHERE id = ?",
        ),
    ] {
        let (_folder, catalog) = catalog().await;
        let mut full = record(1);
        full.status = crate::BackupStatus::Available;
        full.placed = true;
        (full.container, full.prefix) = (Some("c".into()), Some("p".into()));
        catalog.insert(&full).await.unwrap();
        let mut child = full.clone();
        child.id.0 = uuid::Uuid::new_v4();
        child.parent_id = Some(full.id);
        catalog.insert(&child).await.unwrap();
        assert_eq!(catalog.check().await.unwrap(), []);
        sqlx::query(damage)
            .bind(child.id.to_string())
            .execute(catalog.writer())
            .await
            .unwrap();
        let found = catalog.check().await.unwrap();
        let rules: Vec<_> = found.iter().map(|finding| finding.rule).collect();
        // A record with an odd status cannot be read either.
        let expected = if rule == "status" {
            vec!["status", "record"]
        } else {
            vec![rule]
        };
        assert_eq!(rules, expected, "{found:?}");
        let named = found[0].subject == format!("backup {}", child.id) || found[0].subject == "project admin";
        assert!(named, "{found:?}");
    }
}

#[tokio::test]
async fn a_snapshot_without_its_volume_is_found() {
    let (_folder, catalog) = catalog().await;
    sqlx::query(
        "INSERT INTO snapshots (id, project_id, user_id, volume_id, status, size_gib, location, metadata, created_at,
         updated_at) VALUES ('00000000-0000-4000-8000-000000000001', 'p', 'u', '00000000-0000-4000-8000-000000000002',
         'available', 1, '/s', '{}', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z')",
    )
    .execute(catalog.writer())
    .await
    .unwrap();
    let found = catalog.check().await.unwrap();
    assert_eq!((found.len(), found[0].rule), (1, "volume"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_made_while_records_are_written_is_whole_and_of_one_moment() {
    let (folder, catalog) = catalog().await;
    catalog.insert(&record(0)).await.unwrap();
    let writing = catalog.clone();
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let writer = tokio::spawn(async move {
        let mut made = 1;
        while stopped.try_recv().is_err() {
            writing.insert(&record(made)).await.unwrap();
            made += 1;
        }
        made
    });
    let mut last = 0;
    for turn in 0..5 {
        let path = folder.path().join(format!("copy{turn}"));
        let looking = Catalog::look_at(&folder.path().join("c.sqlite")).await.unwrap();
        looking.copy_to(&path).await.unwrap();
        looking.close().await;
        let copy = Catalog::open(&path).await.unwrap();
        assert_eq!(copy.check().await.unwrap(), []);
        let count = copy.count_backups(&crate::BackupQuery::default()).await.unwrap();
        assert!(count >= last.max(1), "{count} after {last}");
        last = count;
    }
    stop.send(()).unwrap();
    assert!(writer.await.unwrap() >= i64::try_from(last).unwrap());
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().contains("unfinished")),
        "{left:?}"
    );
}

#[tokio::test]
async fn a_copy_never_writes_over_anything_and_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, catalog) = catalog().await;
    let path = folder.path().join("copy");
    std::fs::write(&path, "precious").unwrap();
    let refused = catalog.copy_to(&path).await.unwrap_err();
    assert!(matches!(refused, CatalogError::Copy { .. }), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("nowhere", &path).unwrap();
    assert!(catalog.copy_to(&path).await.is_err());
    let path = folder.path().join("other");
    catalog.copy_to(&path).await.unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(catalog.copy_to(&folder.path().join("no/such")).await.is_err());
}
