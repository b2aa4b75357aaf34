//! Administrators' switches of services in SQLite: apart from the services' own rows, which each start forgets.

use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row, SqliteConnection};

use super::values::{parsed, reason, text};
use crate::Result;
use crate::records::ServiceSwitch;

/// See [`crate::Repository::switches`].
pub(super) async fn all(pool: &SqlitePool) -> Result<Vec<ServiceSwitch>> {
    let rows = sqlx::query("SELECT * FROM switches ORDER BY host, name")
        .fetch_all(pool)
        .await?;
    rows.iter().map(read).collect()
}

/// See [`crate::Repository::set_switch`].
pub(super) async fn set(connection: &mut SqliteConnection, switch: &ServiceSwitch) -> Result<()> {
    sqlx::query(
        "INSERT INTO switches (host, name, disabled, reason, modified_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET disabled = excluded.disabled, reason = excluded.reason,
         modified_at = excluded.modified_at",
    )
    .bind(&switch.host)
    .bind(&switch.name)
    .bind(switch.disabled)
    .bind(reason(switch.reason.as_ref()))
    .bind(text(switch.modified_at))
    .execute(connection)
    .await?;
    Ok(())
}

fn read(row: &SqliteRow) -> Result<ServiceSwitch> {
    Ok(ServiceSwitch {
        host: row.try_get("host")?,
        name: row.try_get("name")?,
        disabled: row.try_get("disabled")?,
        reason: row.try_get("reason")?,
        modified_at: parsed(row, "modified_at")?,
    })
}
