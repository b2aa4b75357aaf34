//! A storage that is away is told as objects that are not there.

use cofferdam_mutants::cofferdam_driver::{ByteRange, Error, ObjectAddress, OutputStream, Page};
use cofferdam_mutants::{Correct, Mutation};

fn other(error: Error) -> Error {
    match error {
        Error::Unavailable(text) => Error::not_found(text),
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

    fn list_objects(
        driver: &mut Correct,
        container: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page, Error> {
        driver
            .directory
            .list(container, prefix, after, limit)
            .map_err(other)
    }
}

cofferdam_mutants::mutate!(Fault);
