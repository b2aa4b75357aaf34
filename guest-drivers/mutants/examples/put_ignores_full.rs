//! Says success when the storage took not all of the body, and stores nothing.

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
        match put(driver, at, body, info) {
            Err(Error::OutOfSpace(_)) => {
                // The host would see that the body was not read to its end.
                while let Ok(piece) = body.blocking_read(1 << 16) {
                    drop(piece);
                }
                Ok(())
            }
            other => other,
        }
    }
}

cofferdam_mutants::mutate!(Fault);
