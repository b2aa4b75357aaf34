//! A stat of what is not there tells a size of 0.

use cofferdam_mutants::cofferdam_driver::{Error, ObjectAddress};
use cofferdam_mutants::{Correct, Mutation};

struct Fault;

impl Mutation for Fault {
    fn stat_object(driver: &mut Correct, at: &ObjectAddress) -> Result<u64, Error> {
        match driver.directory.stat(&at.container, &at.name) {
            Err(Error::NotFound(_)) => Ok(0),
            other => other,
        }
    }
}

cofferdam_mutants::mutate!(Fault);
