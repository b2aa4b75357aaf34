//! Takes a range's length for the place of its last byte: gives one byte more.

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
        let range = range.map(|range| ByteRange {
            length: range.length.map(|length| length.saturating_add(1)),
            ..range
        });
        driver.directory.read(&at.container, &at.name, range, sink)
    }
}

cofferdam_mutants::mutate!(Fault);
