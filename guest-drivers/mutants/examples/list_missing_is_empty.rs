//! The listing of a container that is not there is an empty success.

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
        match driver.directory.list(container, prefix, after, limit) {
            Err(Error::NotFound(_)) => Ok(Page {
                objects: Vec::new(),
                more: false,
            }),
            other => other,
        }
    }
}

cofferdam_mutants::mutate!(Fault);
