//! A put of an empty object says success and stores nothing.

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
        put(driver, at, body, info)?;
        if driver.directory.stat(&at.container, &at.name)? == 0 {
            driver.directory.delete(&at.container, &at.name)?;
        }
        Ok(())
    }
}

cofferdam_mutants::mutate!(Fault);
