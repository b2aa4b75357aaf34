//! A put over an object is refused.

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
            return Err(Error::already_exists("it is there already"));
        }
        put(driver, at, body, info)
    }
}

cofferdam_mutants::mutate!(Fault);
