//! Names a backup after its volume and its time only.

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
        placed.prefix = format!("volume_{}_{}", backup.volume_id, backup.timestamp);
        Ok(placed)
    }
}

cofferdam_mutants::mutate!(Fault);
