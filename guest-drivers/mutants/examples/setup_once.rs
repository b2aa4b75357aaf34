//! A second do-setup fails.

use std::cell::Cell;

use cofferdam_mutants::cofferdam_driver::{Error, Settings};
use cofferdam_mutants::{Correct, Mutation, Plain};

thread_local! {
    static SET_UP: Cell<bool> = const { Cell::new(false) };
}

struct Fault;

impl Mutation for Fault {
    fn do_setup(settings: &Settings) -> Result<Correct, Error> {
        if SET_UP.replace(true) {
            return Err(Error::failed("it is set up already"));
        }
        Plain::do_setup(settings)
    }
}

cofferdam_mutants::mutate!(Fault);
