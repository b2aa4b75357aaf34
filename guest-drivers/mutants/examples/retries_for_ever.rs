//! Tries again and again to get what is not there.

use cofferdam_mutants::cofferdam_driver::wasip2::clocks::monotonic_clock::subscribe_duration;
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
        loop {
            match driver.directory.read(&at.container, &at.name, range, sink) {
                Err(Error::NotFound(_)) => subscribe_duration(100_000_000).block(),
                other => return other,
            }
        }
    }
}

cofferdam_mutants::mutate!(Fault);
