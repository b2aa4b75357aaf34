//! Decodes names that look percent-encoded.

use cofferdam_mutants::cofferdam_driver::http::encode;
use cofferdam_mutants::cofferdam_driver::{
    BodyInfo, ByteRange, Error, InputStream, ObjectAddress, OutputStream,
};
use cofferdam_mutants::{Correct, Mutation, put};

/// The object in whose place it is kept.
fn renamed(at: &ObjectAddress) -> ObjectAddress {
    ObjectAddress {
        name: encode::percent_decode(&at.name, false).unwrap_or_else(|| at.name.clone()),
        ..at.clone()
    }
}

struct Fault;

impl Mutation for Fault {
    fn put_object(
        driver: &mut Correct,
        at: &ObjectAddress,
        body: &InputStream,
        info: &BodyInfo,
    ) -> Result<(), Error> {
        put(driver, &renamed(at), body, info)
    }

    fn get_object(
        driver: &mut Correct,
        at: &ObjectAddress,
        range: Option<ByteRange>,
        sink: &OutputStream,
    ) -> Result<u64, Error> {
        let at = renamed(at);
        driver.directory.read(&at.container, &at.name, range, sink)
    }

    fn stat_object(driver: &mut Correct, at: &ObjectAddress) -> Result<u64, Error> {
        let at = renamed(at);
        driver.directory.stat(&at.container, &at.name)
    }

    fn delete_object(driver: &mut Correct, at: &ObjectAddress) -> Result<(), Error> {
        let at = renamed(at);
        driver.directory.delete(&at.container, &at.name)
    }
}

cofferdam_mutants::mutate!(Fault);
