//! Writes a file into the storage in do-setup.

use std::fs;

use cofferdam_mutants::cofferdam_driver::{Error, Settings};
use cofferdam_mutants::{Correct, Mutation, Plain};

struct Fault;

impl Mutation for Fault {
    fn do_setup(settings: &Settings) -> Result<Correct, Error> {
        let driver = Plain::do_setup(settings)?;
        let _ = fs::write(driver.root().join("set-up"), "by a driver");
        Ok(driver)
    }
}

cofferdam_mutants::mutate!(Fault);
