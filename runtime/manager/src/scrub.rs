//! Backups are read and checked again from time to time, without anybody's asking.
//!
//! Problem: a backup that nobody has read since it was made is a hope. So every available backup is verified again within
//! a span that the deployer sets; the one that was looked at longest ago comes first, one at a time, and only
//! while its backend is up. How: what is due is asked of the catalog, so a restart forgets nothing. It begins when
//! four fifths of the span are over, so that the rest is there for those that wait their turn. Cost: one query per
//! look, and one reading of every backup per span.

use cofferdam_catalog::Repository;
use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Timestamp;

use crate::caller::Caller;
use crate::manager::Manager;
use crate::operations::OperationState;

/// Between two looks: a part of the span, within these.
const LOOKS: u32 = 200;
const LEAST: Duration = Duration::from_millis(200);
const MOST: Duration = Duration::from_secs(300);

/// Between two looks at a verification that runs.
const POLL: Duration = Duration::from_millis(100);

/// Verifies for as long as the manager lives.
pub(crate) fn start(manager: &Arc<Manager>, within: Duration) {
    let manager = Arc::downgrade(manager);
    tokio::spawn(async move {
        let pause = (within / LOOKS).clamp(LEAST, MOST);
        loop {
            tokio::time::sleep(pause).await;
            if one(&manager, within).await.is_none() {
                return;
            }
        }
    });
}

/// Verifies what is due most, if anything is. `None` when the manager is gone.
async fn one(manager: &Weak<Manager>, within: Duration) -> Option<()> {
    let running = {
        let manager = manager.upgrade()?;
        let before = Timestamp::now()
            .checked_sub(within * 4 / 5)
            .unwrap_or(Timestamp::MIN);
        let due = match manager.catalog.unverified_since(before).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "what is to be verified cannot be read from the catalog");
                return Some(());
            }
        };
        let mut running = None;
        for id in due {
            // One whose backend is down, or that is in use, has its turn later.
            match manager.verify(&Caller::local(), id).await {
                Ok(status) => {
                    tracing::debug!(backup_id = %id, "verified again, as backup_verify_within asks");
                    running = Some(status.id);
                    break;
                }
                Err(error) => tracing::debug!(backup_id = %id, %error, "not verified again now"),
            }
        }
        running
    };
    while let Some(id) = running {
        let status = manager.upgrade()?.operation(id).ok()?;
        match status.state {
            OperationState::Running => tokio::time::sleep(POLL).await,
            OperationState::Succeeded(_) => break,
            OperationState::Failed(error) => {
                tracing::error!(backup_id = %status.backup, code = error.code(), %error, "a backup did not pass its verification");
                break;
            }
        }
    }
    Some(())
}
