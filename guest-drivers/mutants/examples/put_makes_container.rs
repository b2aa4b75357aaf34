//! A put into a container that is not there makes it.

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
        driver.directory.create_dir_all(&at.container)?;
        put(driver, at, body, info)
    }
}

cofferdam_mutants::mutate!(Fault);
