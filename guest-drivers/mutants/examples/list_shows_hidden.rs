//! Shows the hidden files of unfinished puts as objects.

use cofferdam_mutants::cofferdam_driver::{Error, ObjectInfo, Page, names};
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
        let hidden = driver.files(container).into_iter().filter(|name| {
            names::is_reserved(name)
                && name.starts_with(prefix)
                && after.is_none_or(|after| name.as_str() > after)
        });
        page.objects
            .extend(hidden.map(|name| ObjectInfo { name, size: 0 }));
        page.objects.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(page)
    }
}

cofferdam_mutants::mutate!(Fault);
