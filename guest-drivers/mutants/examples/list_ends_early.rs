//! The first page says that nothing follows.

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
        let page = driver.directory.list(container, prefix, after, limit)?;
        Ok(Page { more: false, ..page })
    }
}

cofferdam_mutants::mutate!(Fault);
