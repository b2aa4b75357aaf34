//! Makes the container in place-backup already.

use cofferdam_mutants::cofferdam_driver::{BackupIdentity, Error, Placement};
use cofferdam_mutants::{Correct, Mutation, Plain};

struct Fault;

impl Mutation for Fault {
    fn place_backup(
        driver: &Correct,
        backup: &BackupIdentity,
        container: Option<&str>,
    ) -> Result<Placement, Error> {
        let placed = Plain::place_backup(driver, backup, container)?;
        driver.directory.create_dir_all(&placed.container)?;
        Ok(placed)
    }
}

cofferdam_mutants::mutate!(Fault);
