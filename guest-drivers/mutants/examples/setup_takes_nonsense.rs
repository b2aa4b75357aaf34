//! Takes settings that cannot be, and uses the defaults in their place.

use cofferdam_mutants::cofferdam_driver::{Error, Settings};
use cofferdam_mutants::{Correct, KEY, Mutation, PATH, PORTIONS};

struct Fault;

impl Mutation for Fault {
    fn do_setup(settings: &Settings) -> Result<Correct, Error> {
        let good = Settings::new(Vec::new());
        let portions = PORTIONS.read(settings).or_else(|_| PORTIONS.read(&good))?;
        Ok(Correct {
            portions,
            directory: settings.required_directory(PATH)?,
            key: settings.secret(KEY)?,
        })
    }
}

cofferdam_mutants::mutate!(Fault);
