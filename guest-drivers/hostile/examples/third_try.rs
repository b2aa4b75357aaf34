//! Returns `unavailable` from `check-for-setup-error` the first two times, and succeeds ever after. The host
//! must try again by itself until the backend is up. Counts in `hostile_path`.

use cofferdam_hostile::cofferdam_driver::{DriverInfo, Error};
use cofferdam_hostile::{Hostile, Store, info, options};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::directory()])
    }

    fn check_for_setup_error(store: &mut Store) -> Result<(), Error> {
        let count = store.count_on()?;
        if count <= 2 {
            return Err(Error::unavailable(format!("check {count} fails on purpose")));
        }
        Ok(())
    }
}

cofferdam_hostile::misbehave!(Behaviour);
