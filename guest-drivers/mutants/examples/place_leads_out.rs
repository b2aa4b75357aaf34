//! Takes any container that a user names.

use cofferdam_mutants::cofferdam_driver::{BackupIdentity, Error, Placement};
use cofferdam_mutants::{Correct, Mutation};

struct Fault;

impl Mutation for Fault {
    fn place_backup(
        driver: &Correct,
        backup: &BackupIdentity,
        container: Option<&str>,
    ) -> Result<Placement, Error> {
        driver
            .portions
            .place(backup, container.unwrap_or(&backup.backup_id).to_owned())
    }
}

cofferdam_mutants::mutate!(Fault);
