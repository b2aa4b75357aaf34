//! Leaves its hidden file behind when a put fails.

use std::fs;

use cofferdam_mutants::cofferdam_driver::{BodyInfo, Error, InputStream, ObjectAddress, names};
use cofferdam_mutants::{Correct, Mutation, put};

struct Fault;

impl Mutation for Fault {
    fn put_object(
        driver: &mut Correct,
        at: &ObjectAddress,
        body: &InputStream,
        info: &BodyInfo,
    ) -> Result<(), Error> {
        let stored = put(driver, at, body, info);
        if stored.is_err() {
            let part = driver.folder(&at.container).join(names::part(&at.name));
            let _ = fs::write(part, "half an object");
        }
        stored
    }
}

cofferdam_mutants::mutate!(Fault);
