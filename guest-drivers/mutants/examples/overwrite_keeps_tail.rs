//! A put of a shorter object over a longer one leaves the end of the longer one behind it.

use std::fs;

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
        let old = fs::read(driver.file(at)).unwrap_or_default();
        put(driver, at, body, info)?;
        let mut new = fs::read(driver.file(at)).unwrap_or_default();
        new.extend(old.iter().skip(new.len()));
        fs::write(driver.file(at), new).map_err(|error| Error::failed(error.to_string()))
    }
}

cofferdam_mutants::mutate!(Fault);
