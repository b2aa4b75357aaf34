//! Asks for a body's size, and does not compare it with what came.

use cofferdam_mutants::cofferdam_driver::{
    BodyInfo, BodyNeeds, DriverInfo, Error, InputStream, ObjectAddress,
};
use cofferdam_mutants::{Correct, Mutation, Plain, put};

struct Fault;

impl Mutation for Fault {
    fn describe() -> DriverInfo {
        DriverInfo {
            needs: BodyNeeds::SIZE,
            ..Plain::describe()
        }
    }

    fn put_object(
        driver: &mut Correct,
        at: &ObjectAddress,
        body: &InputStream,
        info: &BodyInfo,
    ) -> Result<(), Error> {
        put(
            driver,
            at,
            body,
            &BodyInfo {
                size: None,
                ..info.clone()
            },
        )
    }
}

cofferdam_mutants::mutate!(Fault);
