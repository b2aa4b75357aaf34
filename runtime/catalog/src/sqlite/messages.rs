//! Messages to users in SQLite. One that has expired is shown to nobody, whether it was swept yet or not.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::list::Stored;
use super::values::{parsed, parsed_option, text};
use crate::columns::MessageColumn;
use crate::records::{MessageRecord, Subject};
use crate::{CatalogError, Result};

impl Stored for MessageRecord {
    type Column = MessageColumn;

    const SELECT: &'static str = "SELECT r.*";
    const EXPIRES: Option<&'static str> = Some("expires_at");

    fn subject(id: Uuid) -> Subject {
        Subject::Message(id)
    }

    fn read(row: &SqliteRow) -> Result<Self> {
        Ok(MessageRecord {
            id: parsed(row, "id")?,
            project_id: row.try_get("project_id")?,
            request_id: row.try_get("request_id")?,
            resource_type: row.try_get("resource_type")?,
            resource_uuid: parsed_option(row, "resource_uuid")?,
            event_id: row.try_get("event_id")?,
            level: row.try_get("level")?,
            user_message: row.try_get("user_message")?,
            created_at: parsed(row, "created_at")?,
            expires_at: parsed(row, "expires_at")?,
        })
    }
}

/// Records a message.
pub(super) async fn insert(connection: &mut SqliteConnection, record: &MessageRecord) -> Result<()> {
    super::check_free::<MessageRecord>(connection, record.id).await?;
    sqlx::query(
        "INSERT INTO messages (id, project_id, request_id, resource_type, resource_uuid, event_id, level, user_message,
         created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(record.id.to_string())
    .bind(&record.project_id)
    .bind(&record.request_id)
    .bind(&record.resource_type)
    .bind(record.resource_uuid.map(|id| id.to_string()))
    .bind(&record.event_id)
    .bind(&record.level)
    .bind(&record.user_message)
    .bind(text(record.created_at))
    .bind(text(record.expires_at))
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes a message.
pub(super) async fn delete(connection: &mut SqliteConnection, id: Uuid) -> Result<()> {
    let done = sqlx::query("DELETE FROM messages WHERE id = ?")
        .bind(id.to_string())
        .execute(connection)
        .await?;
    if done.rows_affected() == 0 {
        return Err(CatalogError::NotFound(Subject::Message(id)));
    }
    Ok(())
}

/// Deletes what has expired by then.
pub(super) async fn sweep(connection: &mut SqliteConnection, now: Timestamp) -> Result<u64> {
    let done = sqlx::query("DELETE FROM messages WHERE expires_at <= ?")
        .bind(text(now))
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}
