//! A page begins with the last name of the one before.

use cofferdam_mutants::cofferdam_driver::{Error, ObjectInfo, Page};
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
        if let Some(after) = after
            && after.starts_with(prefix)
            && let Ok(size) = driver.directory.stat(container, after)
        {
            let name = after.to_owned();
            page.objects.insert(0, ObjectInfo { name, size });
        }
        Ok(page)
    }
}

cofferdam_mutants::mutate!(Fault);
