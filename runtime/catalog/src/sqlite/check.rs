//! Looking through the whole catalog for what should not be: damaged pages, records that cannot be read, and records that
//! contradict one another. It only reads, and works beside a running service.
//!
//! How: SQLite's own integrity check first; then each rule is one query that names the rows which break it, in the words of
//! [`RULES`]; then every record is read as the service would read it. All but the first is of one moment, so that a service
//! that writes meanwhile is not taken for damage. Bound: [`MOST`] findings of each rule. Cost: the whole file is read twice.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::Catalog;
use super::list::Stored;
use crate::Result;
use crate::columns::Column;
use crate::records::{
    BackupRecord, BackupStatus, MessageRecord, SnapshotRecord, SnapshotStatus, VolumeRecord, VolumeStatus,
};

/// Findings of one rule, at most.
const MOST: u32 = 100;

/// Rows that are read at once.
const BATCH: u32 = 1000;

/// Something that should not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's stable name.
    pub rule: &'static str,
    /// What it is about: a kind and an id, or nothing for the whole file.
    pub subject: String,
    /// What was found.
    pub message: String,
}

/// Each rule: its name, what a row is that breaks it, and the query for such rows' kind and id.
const RULES: &[(&str, &str, &str)] = &[
    (
        "parent",
        "the backup that it builds on has no record, or is deleted",
        "SELECT 'backup', id FROM backups AS r WHERE deleted_at IS NULL AND parent_id IS NOT NULL AND NOT EXISTS
         (SELECT 1 FROM backups AS p WHERE p.id = r.parent_id AND p.deleted_at IS NULL)",
    ),
    (
        "parent-status",
        "the backup that it builds on is not whole",
        "SELECT 'backup', r.id FROM backups AS r NOT INDEXED JOIN backups AS p ON p.id = r.parent_id
         WHERE r.deleted_at IS NULL AND p.deleted_at IS NULL AND p.status NOT IN ('available', 'restoring')
         AND r.status NOT IN ('error', 'deleting', 'error_deleting')",
    ),
    (
        "parent-backend",
        "the backup that it builds on is on another backend",
        "SELECT 'backup', r.id FROM backups AS r NOT INDEXED JOIN backups AS p ON p.id = r.parent_id
         WHERE r.deleted_at IS NULL AND p.deleted_at IS NULL AND p.backend <> r.backend",
    ),
    (
        "chain",
        "what it builds on does not lead to a full backup",
        "WITH RECURSIVE sound (id) AS (
             SELECT id FROM backups WHERE parent_id IS NULL AND deleted_at IS NULL
             UNION SELECT c.id FROM sound JOIN backups AS c INDEXED BY backups_by_parent
                 ON c.parent_id = sound.id AND c.deleted_at IS NULL)
         SELECT 'backup', r.id FROM backups AS r NOT INDEXED WHERE r.deleted_at IS NULL AND r.id NOT IN (SELECT id FROM sound)
         AND EXISTS (SELECT 1 FROM backups AS p WHERE p.id = r.parent_id AND p.deleted_at IS NULL)",
    ),
    (
        "place",
        "it is available, and where its objects are is not known",
        "SELECT 'backup', id FROM backups WHERE deleted_at IS NULL AND status = 'available'
         AND (NOT placed OR coalesce(container, '') = '' OR coalesce(prefix, '') = '')",
    ),
    (
        "volume",
        "its volume has no record, or is deleted",
        "SELECT 'snapshot', id FROM snapshots AS r WHERE deleted_at IS NULL AND NOT EXISTS
         (SELECT 1 FROM volumes AS v WHERE v.id = r.volume_id AND v.deleted_at IS NULL)",
    ),
    (
        "claim",
        "its claim is half there, or it is claimed and deleted",
        "SELECT 'backup', id FROM backups WHERE (claim_owner IS NULL) <> (claim_until IS NULL) OR claim_token < 0
         OR (claim_owner IS NOT NULL AND (claim_token = 0 OR deleted_at IS NOT NULL))",
    ),
    (
        "usage",
        "what is counted as the project's is not what the records add up to",
        "SELECT 'project', project_id FROM (
             SELECT project_id, kind, count, gigabytes FROM usage WHERE count <> 0 OR gigabytes <> 0
             UNION ALL SELECT project_id, 'backups', -count(*), -sum(size_gib) FROM backups
                 WHERE deleted_at IS NULL GROUP BY project_id
             UNION ALL SELECT project_id, 'volumes', -count(*), -sum(size_gib) FROM volumes
                 WHERE deleted_at IS NULL GROUP BY project_id
             UNION ALL SELECT project_id, 'snapshots', -count(*), -sum(size_gib) FROM snapshots
                 WHERE deleted_at IS NULL GROUP BY project_id)
         GROUP BY project_id, kind HAVING sum(count) <> 0 OR sum(gigabytes) <> 0",
    ),
];

impl Catalog {
    /// All that should not be.
    ///
    /// # Errors
    /// When the database cannot be read at all.
    pub async fn check(&self) -> Result<Vec<Finding>> {
        let mut transaction = self.readers.begin().await?;
        let mut findings = Vec::new();
        let pages: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(100)")
            .fetch_all(&mut *transaction)
            .await?;
        findings.extend(pages.into_iter().filter(|text| text != "ok").map(|text| Finding {
            rule: "pages",
            subject: String::new(),
            message: text,
        }));
        let words: Vec<_> = BackupStatus::ALL.iter().map(|status| status.as_str()).collect();
        statuses(&mut transaction, "backup", "backups", &words, &mut findings).await?;
        let words: Vec<_> = VolumeStatus::ALL.iter().map(|status| status.as_str()).collect();
        statuses(&mut transaction, "volume", "volumes", &words, &mut findings).await?;
        let words: Vec<_> = SnapshotStatus::ALL.iter().map(|status| status.as_str()).collect();
        statuses(&mut transaction, "snapshot", "snapshots", &words, &mut findings).await?;
        for (rule, message, query) in RULES {
            let mut sql = QueryBuilder::<Sqlite>::new(*query);
            sql.push(" LIMIT ").push_bind(MOST);
            let rows = sql.build().fetch_all(&mut *transaction).await?;
            for row in &rows {
                findings.push(finding(rule, row, message)?);
            }
        }
        readable::<BackupRecord>(&mut transaction, "backup", &mut findings).await?;
        readable::<VolumeRecord>(&mut transaction, "volume", &mut findings).await?;
        readable::<SnapshotRecord>(&mut transaction, "snapshot", &mut findings).await?;
        readable::<MessageRecord>(&mut transaction, "message", &mut findings).await?;
        Ok(findings)
    }
}

fn finding(rule: &'static str, row: &SqliteRow, message: &str) -> Result<Finding> {
    let (kind, id): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Finding {
        rule,
        subject: format!("{kind} {id}"),
        message: message.to_owned(),
    })
}

/// Statuses that no version writes.
async fn statuses(
    connection: &mut SqliteConnection,
    kind: &'static str,
    table: &'static str,
    words: &[&'static str],
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT ");
    sql.push_bind(kind)
        .push(", id FROM ")
        .push(table)
        .push(" WHERE status NOT IN (");
    let mut list = sql.separated(", ");
    for word in words {
        list.push_bind(*word);
    }
    sql.push(") LIMIT ").push_bind(MOST);
    let rows = sql.build().fetch_all(connection).await?;
    for row in &rows {
        findings.push(finding("status", row, "its status is none that there is")?);
    }
    Ok(())
}

/// Reads every record as the service would.
async fn readable<S: Stored>(
    connection: &mut SqliteConnection,
    kind: &str,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let (mut last, mut found) = (0_i64, 0);
    loop {
        let mut sql = QueryBuilder::<Sqlite>::new(S::SELECT);
        sql.push(", r.rowid AS place FROM ").push(S::Column::TABLE);
        sql.push(" AS r WHERE r.rowid > ").push_bind(last);
        sql.push(" ORDER BY r.rowid LIMIT ").push_bind(BATCH);
        let rows = sql.build().fetch_all(&mut *connection).await?;
        for row in &rows {
            last = row.try_get("place")?;
            if let Err(error) = S::read(row) {
                let id: String = row.try_get("id").unwrap_or_default();
                findings.push(Finding {
                    rule: "record",
                    subject: format!("{kind} {id}"),
                    message: error.to_string(),
                });
                found += 1;
            }
        }
        if rows.is_empty() || found >= MOST {
            return Ok(());
        }
    }
}
