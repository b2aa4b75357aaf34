//! A delete of what is not there is not found.

use cofferdam_mutants::cofferdam_driver::{Error, ObjectAddress};
use cofferdam_mutants::{Correct, Mutation};

struct Fault;

impl Mutation for Fault {
    fn delete_object(driver: &mut Correct, at: &ObjectAddress) -> Result<(), Error> {
        driver.directory.stat(&at.container, &at.name)?;
        driver.directory.delete(&at.container, &at.name)
    }
}

cofferdam_mutants::mutate!(Fault);
