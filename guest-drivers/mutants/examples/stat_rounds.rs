//! Tells the size in whole blocks of 512 bytes.

use cofferdam_mutants::cofferdam_driver::{Error, ObjectAddress};
use cofferdam_mutants::{Correct, Mutation};

struct Fault;

impl Mutation for Fault {
    fn stat_object(driver: &mut Correct, at: &ObjectAddress) -> Result<u64, Error> {
        let size = driver.directory.stat(&at.container, &at.name)?;
        Ok(size.next_multiple_of(512))
    }
}

cofferdam_mutants::mutate!(Fault);
