//! Steps in SQLite: one transaction that has the database's write lock from its beginning, so what a step has checked is
//! still so when the last one is made. An error drops the transaction, which undoes it.

use sqlx::SqliteConnection;

use super::{Catalog, backups, claims, messages, snapshots, volumes};
use crate::Result;
use crate::steps::{Done, Step};

/// See [`crate::Repository::commit`].
pub(super) async fn commit(catalog: &Catalog, steps: Vec<Step>) -> Result<Vec<Done>> {
    let mut transaction = catalog.begin().await?;
    let mut done = Vec::with_capacity(steps.len());
    for step in steps {
        done.push(make(&mut transaction, step).await?);
    }
    transaction.commit().await?;
    Ok(done)
}

async fn make(connection: &mut SqliteConnection, step: Step) -> Result<Done> {
    Ok(match step {
        Step::InsertBackup { record, quotas } => {
            Done::Backup(backups::insert(connection, *record, quotas).await?.into())
        }
        Step::ChangeBackup {
            id,
            from,
            change,
            fence,
        } => Done::Backup(
            backups::change(connection, id, &from, *change, fence)
                .await?
                .into(),
        ),
        Step::DeleteBackup { id, fence } => {
            backups::delete(connection, id, fence).await?;
            Done::Done
        }
        Step::Claim { id, owner, ttl } => Done::Claimed(claims::claim(connection, id, owner, ttl).await?),
        Step::Renew { id, fence, ttl } => {
            claims::renew(connection, id, fence, ttl).await?;
            Done::Done
        }
        Step::Release { id, fence } => {
            claims::release(connection, id, fence).await?;
            Done::Done
        }
        Step::InsertVolume { record, quotas } => {
            Done::Volume(volumes::insert(connection, *record, quotas).await?.into())
        }
        Step::ChangeVolume {
            id,
            from,
            change,
            quotas,
        } => Done::Volume(
            volumes::change(connection, id, &from, *change, quotas)
                .await?
                .into(),
        ),
        Step::DeleteVolume { id } => {
            volumes::delete(connection, id).await?;
            Done::Done
        }
        Step::InsertSnapshot { record, quotas } => {
            Done::Snapshot(snapshots::insert(connection, *record, quotas).await?.into())
        }
        Step::ChangeSnapshot { id, from, change } => {
            Done::Snapshot(snapshots::change(connection, id, &from, *change).await?.into())
        }
        Step::DeleteSnapshot { id } => {
            snapshots::delete(connection, id).await?;
            Done::Done
        }
        Step::Message(record) => {
            messages::insert(connection, &record).await?;
            Done::Done
        }
    })
}
