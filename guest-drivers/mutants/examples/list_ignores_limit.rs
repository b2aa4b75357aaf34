//! Gives pages of a thousand, however few were asked for.

use cofferdam_mutants::cofferdam_driver::{Error, Page};
use cofferdam_mutants::{Correct, Mutation};

struct Fault;

impl Mutation for Fault {
    fn list_objects(
        driver: &mut Correct,
        container: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page, Error> {
        let _ = limit;
        driver.directory.list(container, prefix, after, 1000)
    }
}

cofferdam_mutants::mutate!(Fault);
