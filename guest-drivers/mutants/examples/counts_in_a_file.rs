//! Counts its puts in a file of the storage.

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
        let file = driver.root().join("puts");
        let count = fs::read_to_string(&file)
            .ok()
            .and_then(|text| text.parse::<u64>().ok());
        let _ = fs::write(&file, (count.unwrap_or(0) + 1).to_string());
        put(driver, at, body, info)
    }
}

cofferdam_mutants::mutate!(Fault);
