//! Gives the first page again and again.

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
        let _ = after;
        driver.directory.list(container, prefix, None, limit)
    }
}

cofferdam_mutants::mutate!(Fault);
