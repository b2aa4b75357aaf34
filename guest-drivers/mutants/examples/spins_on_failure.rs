//! Computes for ever when a put fails.

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
        let mut turns = 0_u64;
        while stored.is_err() {
            turns = std::hint::black_box(turns.wrapping_add(1));
        }
        stored
    }
}

cofferdam_mutants::mutate!(Fault);
