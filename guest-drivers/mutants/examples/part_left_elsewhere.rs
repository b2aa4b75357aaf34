//! Leaves a file of its own in the directory when a put fails, one for each.

use std::fs;

use cofferdam_mutants::cofferdam_driver::wasip2::random::random::get_random_u64;
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
        let stored = put(driver, at, body, info);
        if stored.is_err() {
            let part = format!(".tmp-{:016x}", get_random_u64());
            let _ = fs::write(driver.root().join(part), "half an object");
        }
        stored
    }
}

cofferdam_mutants::mutate!(Fault);
