//! Panics in do-setup when a setting is wrong.

use cofferdam_mutants::cofferdam_driver::{Error, Settings};
use cofferdam_mutants::{Correct, Mutation, Plain};

struct Fault;

impl Mutation for Fault {
    fn do_setup(settings: &Settings) -> Result<Correct, Error> {
        match Plain::do_setup(settings) {
            Ok(driver) => Ok(driver),
            Err(_) => std::process::abort(),
        }
    }
}

cofferdam_mutants::mutate!(Fault);
