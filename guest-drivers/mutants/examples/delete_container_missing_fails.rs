//! A delete in a container that is not there is not found.

use cofferdam_mutants::cofferdam_driver::{Error, ObjectAddress};
use cofferdam_mutants::{Correct, Mutation};

struct Fault;

impl Mutation for Fault {
    fn delete_object(driver: &mut Correct, at: &ObjectAddress) -> Result<(), Error> {
        if !driver.folder(&at.container).is_dir() {
            return Err(Error::not_found("there is no such container"));
        }
        driver.directory.delete(&at.container, &at.name)
    }
}

cofferdam_mutants::mutate!(Fault);
