//! Keeps a file open for each object that it reads.

use std::fs::File;

use cofferdam_mutants::cofferdam_driver::{ByteRange, Error, ObjectAddress, OutputStream};
use cofferdam_mutants::{Correct, Mutation};

struct Fault;

impl Mutation for Fault {
    fn get_object(
        driver: &mut Correct,
        at: &ObjectAddress,
        range: Option<ByteRange>,
        sink: &OutputStream,
    ) -> Result<u64, Error> {
        if let Ok(file) = File::open(driver.file(at)) {
            std::mem::forget(file);
        }
        driver.directory.read(&at.container, &at.name, range, sink)
    }
}

cofferdam_mutants::mutate!(Fault);
