//! Returns `unavailable` from `check-for-setup-error` every first, third, fifth … time, and succeeds in
//! between. The host must pass the error on and try again, and never tire of it. Counts in `hostile_path`.

use cofferdam_hostile::cofferdam_driver::{DriverInfo, Error};
use cofferdam_hostile::{Hostile, Store, info, options};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::directory()])
    }

    fn check_for_setup_error(store: &mut Store) -> Result<(), Error> {
        let count = store.count_on()?;
        if count % 2 == 1 {
            return Err(Error::unavailable(format!("check {count} fails on purpose")));
        }
        Ok(())
    }
}

cofferdam_hostile::misbehave!(Behaviour);
