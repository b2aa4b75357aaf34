//! Says that the storage is usable, without looking.

use cofferdam_mutants::cofferdam_driver::Error;
use cofferdam_mutants::{Correct, Mutation};

struct Fault;

impl Mutation for Fault {
    fn check_for_setup_error(driver: &mut Correct) -> Result<(), Error> {
        let _ = driver;
        Ok(())
    }
}

cofferdam_mutants::mutate!(Fault);
