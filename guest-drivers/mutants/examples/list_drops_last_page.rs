//! The last of several pages is empty.

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
        if after.is_some() && !page.more {
            page.objects.clear();
        }
        Ok(page)
    }
}

cofferdam_mutants::mutate!(Fault);
