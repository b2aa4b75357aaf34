//! Writes the secret into the log and into errors, where it may read it.

use cofferdam_mutants::cofferdam_driver::{Error, ObjectAddress, log};
use cofferdam_mutants::{Correct, Mutation};

struct Fault;

impl Mutation for Fault {
    fn check_for_setup_error(driver: &mut Correct) -> Result<(), Error> {
        if let Some(key) = &driver.key
            && let Ok(value) = key.reveal()
        {
            log::info(format!("checking with {value}"));
        }
        driver.directory.check()
    }

    fn stat_object(driver: &mut Correct, at: &ObjectAddress) -> Result<u64, Error> {
        let size = driver.directory.stat(&at.container, &at.name);
        match (&driver.key, size) {
            (Some(key), Err(Error::NotFound(text))) => Err(Error::not_found(format!(
                "{text}, {}",
                key.reveal().unwrap_or_default()
            ))),
            (_, size) => size,
        }
    }
}

cofferdam_mutants::mutate!(Fault);
