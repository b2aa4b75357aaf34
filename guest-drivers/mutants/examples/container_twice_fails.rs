//! Making a container that is there already fails.

use cofferdam_mutants::cofferdam_driver::Error;
use cofferdam_mutants::{Correct, Mutation};

struct Fault;

impl Mutation for Fault {
    fn create_container(driver: &mut Correct, container: &str) -> Result<(), Error> {
        if driver.folder(container).is_dir() {
            return Err(Error::already_exists("the container is there already"));
        }
        driver.directory.create_dir_all(container)
    }
}

cofferdam_mutants::mutate!(Fault);
