//! Gives the whole object, whatever range is asked for.

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
        let _ = range;
        driver.directory.read(&at.container, &at.name, None, sink)
    }
}

cofferdam_mutants::mutate!(Fault);
