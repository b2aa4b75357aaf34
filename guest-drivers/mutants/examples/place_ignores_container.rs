//! Puts a backup elsewhere than the user asked for.

use cofferdam_mutants::cofferdam_driver::{BackupIdentity, Error, Placement};
use cofferdam_mutants::{Correct, Mutation, Plain};

struct Fault;

impl Mutation for Fault {
    fn place_backup(
        driver: &Correct,
        backup: &BackupIdentity,
        container: Option<&str>,
    ) -> Result<Placement, Error> {
        let _ = container;
        Plain::place_backup(driver, backup, None)
    }
}

cofferdam_mutants::mutate!(Fault);
