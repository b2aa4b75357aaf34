//! Writes a file into the storage in each probe.

use std::fs;

use cofferdam_mutants::cofferdam_driver::Error;
use cofferdam_mutants::{Correct, Mutation};

struct Fault;

impl Mutation for Fault {
    fn probe(driver: &mut Correct) -> Result<(), Error> {
        driver.directory.probe()?;
        let _ = fs::write(driver.root().join("probed"), "by a driver");
        Ok(())
    }
}

cofferdam_mutants::mutate!(Fault);
