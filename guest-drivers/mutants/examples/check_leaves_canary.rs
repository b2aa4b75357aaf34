//! Leaves its canary in the storage.

use std::fs;

use cofferdam_mutants::cofferdam_driver::Error;
use cofferdam_mutants::{Correct, Mutation};

struct Fault;

impl Mutation for Fault {
    fn check_for_setup_error(driver: &mut Correct) -> Result<(), Error> {
        driver.directory.check()?;
        fs::create_dir_all(driver.root().join("canary")).map_err(|error| Error::failed(error.to_string()))?;
        let _ = fs::write(driver.root().join("canary/canary"), "tweet");
        Ok(())
    }
}

cofferdam_mutants::mutate!(Fault);
