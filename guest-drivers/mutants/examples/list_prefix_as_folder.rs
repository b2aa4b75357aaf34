//! Takes a prefix for a folder: the name itself, or what follows it behind a `-` or `/`.

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
        page.objects
            .retain(|object| match object.name.strip_prefix(prefix) {
                Some(rest) => {
                    prefix.is_empty()
                        || prefix.ends_with(['-', '/'])
                        || rest.is_empty()
                        || rest.starts_with(['-', '/'])
                }
                None => false,
            });
        Ok(page)
    }
}

cofferdam_mutants::mutate!(Fault);
