//! A delete takes all objects whose names begin with the name.

use cofferdam_mutants::cofferdam_driver::{Error, ObjectAddress};
use cofferdam_mutants::{Correct, Mutation};

struct Fault;

impl Mutation for Fault {
    fn delete_object(driver: &mut Correct, at: &ObjectAddress) -> Result<(), Error> {
        for name in driver.files(&at.container) {
            if name.starts_with(&at.name) {
                driver.directory.delete(&at.container, &name)?;
            }
        }
        driver.directory.delete(&at.container, &at.name)
    }
}

cofferdam_mutants::mutate!(Fault);
