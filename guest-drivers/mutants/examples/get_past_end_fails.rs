//! A range that begins past the end is an error.

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
        let size = driver.directory.stat(&at.container, &at.name)?;
        if range.is_some_and(|range| range.offset > size) {
            return Err(Error::failed("the range begins past the end"));
        }
        driver.directory.read(&at.container, &at.name, range, sink)
    }
}

cofferdam_mutants::mutate!(Fault);
