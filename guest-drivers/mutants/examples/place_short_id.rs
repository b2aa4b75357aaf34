//! Puts only the first eight characters of a backup's id into its prefix.

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
        let short: String = backup.backup_id.chars().take(8).collect();
        placed.prefix = placed.prefix.replace(&backup.backup_id, &short);
        Ok(placed)
    }
}

cofferdam_mutants::mutate!(Fault);
