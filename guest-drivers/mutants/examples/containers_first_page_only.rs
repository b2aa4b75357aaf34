//! Says after the first page of containers that nothing follows.

use cofferdam_mutants::cofferdam_driver::{ContainerPage, Error};
use cofferdam_mutants::{Correct, Mutation};

struct Fault;

impl Mutation for Fault {
    fn list_containers(
        driver: &mut Correct,
        after: Option<&str>,
        limit: u32,
    ) -> Result<ContainerPage, Error> {
        let page = driver.directory.list_containers(after, limit)?;
        Ok(ContainerPage { more: false, ..page })
    }
}

cofferdam_mutants::mutate!(Fault);
