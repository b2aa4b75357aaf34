//! The last name of a full page is left out.

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
        if page.more && page.objects.len() > 1 {
            let place = page.objects.len() - 2;
            page.objects.remove(place);
        }
        Ok(page)
    }
}

cofferdam_mutants::mutate!(Fault);
