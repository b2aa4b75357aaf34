//! A delete says success and does nothing.

use cofferdam_mutants::cofferdam_driver::{Error, ObjectAddress};
use cofferdam_mutants::{Correct, Mutation};

struct Fault;

impl Mutation for Fault {
    fn delete_object(driver: &mut Correct, at: &ObjectAddress) -> Result<(), Error> {
        let _ = (driver, at);
        Ok(())
    }
}

cofferdam_mutants::mutate!(Fault);
