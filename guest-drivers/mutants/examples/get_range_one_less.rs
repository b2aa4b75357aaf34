//! Leaves out the last byte of a range that does not reach the end.

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
        let range = range.map(|range| ByteRange {
            length: range
                .length
                .map(|length| match range.offset.saturating_add(length) < size {
                    true => length.saturating_sub(1),
                    false => length,
                }),
            ..range
        });
        driver.directory.read(&at.container, &at.name, range, sink)
    }
}

cofferdam_mutants::mutate!(Fault);
