//! A backup's prefix may be the beginning of another's.

use cofferdam_mutants::cofferdam_driver::{BackupIdentity, Error, Placement};
use cofferdam_mutants::{Correct, Mutation, Plain};

struct Fault;

impl Mutation for Fault {
    fn place_backup(
        driver: &Correct,
        backup: &BackupIdentity,
        container: Option<&str>,
    ) -> Result<Placement, Error> {
        let mut placed = Plain::place_backup(driver, backup, container)?;
        placed.prefix = format!("{}_{}", backup.backup_id, backup.timestamp.trim_end_matches('0'));
        Ok(placed)
    }
}

cofferdam_mutants::mutate!(Fault);
