//! What is not there is told as some failure.

use cofferdam_mutants::cofferdam_driver::{ByteRange, Error, ObjectAddress, OutputStream};
use cofferdam_mutants::{Correct, Mutation};

fn other(error: Error) -> Error {
    match error {
        Error::NotFound(text) => Error::failed(text),
        other => other,
    }
}

struct Fault;

impl Mutation for Fault {
    fn get_object(
        driver: &mut Correct,
        at: &ObjectAddress,
        range: Option<ByteRange>,
        sink: &OutputStream,
    ) -> Result<u64, Error> {
        driver
            .directory
            .read(&at.container, &at.name, range, sink)
            .map_err(other)
    }

    fn stat_object(driver: &mut Correct, at: &ObjectAddress) -> Result<u64, Error> {
        driver.directory.stat(&at.container, &at.name).map_err(other)
    }
}

cofferdam_mutants::mutate!(Fault);
