//! A storage that is away is told as one that refuses the credentials.

use cofferdam_mutants::cofferdam_driver::Error;
use cofferdam_mutants::{Correct, Mutation};

fn other(error: Error) -> Error {
    match error {
        Error::Unavailable(text) => Error::unauthorized(text),
        other => other,
    }
}

struct Fault;

impl Mutation for Fault {
    fn probe(driver: &mut Correct) -> Result<(), Error> {
        driver.directory.probe().map_err(other)
    }

    fn check_for_setup_error(driver: &mut Correct) -> Result<(), Error> {
        driver.directory.check().map_err(other)
    }
}

cofferdam_mutants::mutate!(Fault);
