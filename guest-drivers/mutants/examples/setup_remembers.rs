//! A second do-setup with other settings keeps the portions of the first.

use std::cell::Cell;

use cofferdam_mutants::cofferdam_driver::placement::Portions;
use cofferdam_mutants::cofferdam_driver::{Error, Settings};
use cofferdam_mutants::{Correct, Mutation, Plain};

thread_local! {
    static FIRST: Cell<Option<Portions>> = const { Cell::new(None) };
}

struct Fault;

impl Mutation for Fault {
    fn do_setup(settings: &Settings) -> Result<Correct, Error> {
        let mut driver = Plain::do_setup(settings)?;
        let first = FIRST.get().unwrap_or(driver.portions);
        FIRST.set(Some(first));
        driver.portions = first;
        Ok(driver)
    }
}

cofferdam_mutants::mutate!(Fault);
