//! Keeps 64 KiB for each object that it looks at.

use cofferdam_mutants::cofferdam_driver::{Error, ObjectAddress};
use cofferdam_mutants::{Correct, Mutation};

struct Fault;

impl Mutation for Fault {
    fn stat_object(driver: &mut Correct, at: &ObjectAddress) -> Result<u64, Error> {
        Box::leak(vec![1_u8; 64 << 10].into_boxed_slice());
        driver.directory.stat(&at.container, &at.name)
    }
}

cofferdam_mutants::mutate!(Fault);
