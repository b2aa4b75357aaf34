//! Names come in the order of their letters, whatever their case.

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
        let mut page = driver.directory.list(container, prefix, after, limit)?;
        page.objects.sort_by_key(|object| object.name.to_lowercase());
        Ok(page)
    }
}

cofferdam_mutants::mutate!(Fault);
