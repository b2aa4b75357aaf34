//! A put over an object says success and leaves the old one.

use cofferdam_mutants::cofferdam_driver::{BodyInfo, Error, InputStream, ObjectAddress};
use cofferdam_mutants::{Correct, Mutation, put};

struct Fault;

impl Mutation for Fault {
    fn put_object(
        driver: &mut Correct,
        at: &ObjectAddress,
        body: &InputStream,
        info: &BodyInfo,
    ) -> Result<(), Error> {
        if driver.has(at) {
            // As if it were stored: the body is read to its end.
            while let Ok(piece) = body.blocking_read(1 << 16) {
                drop(piece);
            }
            return Ok(());
        }
        put(driver, at, body, info)
    }
}

cofferdam_mutants::mutate!(Fault);
