//! A get of what is not there is an empty success.

use cofferdam_mutants::cofferdam_driver::{ByteRange, Error, ObjectAddress, OutputStream};
use cofferdam_mutants::{Correct, Mutation};

struct Fault;

impl Mutation for Fault {
    fn get_object(
        driver: &mut Correct,
        at: &ObjectAddress,
        range: Option<ByteRange>,
        sink: &OutputStream,
    ) -> Result<u64, Error> {
        match driver.directory.read(&at.container, &at.name, range, sink) {
            Err(Error::NotFound(_)) => Ok(0),
            other => other,
        }
    }
}

cofferdam_mutants::mutate!(Fault);
