//! Succeeds in `probe` while the file `alive` lies in the granted directory, and returns `unavailable`
//! without it; all else succeeds. The host must call the backend down when the file goes, and up again when
//! it is back.

use cofferdam_hostile::cofferdam_driver::{DriverInfo, Error};
use cofferdam_hostile::{Hostile, Store, info, options};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::directory()])
    }

    fn probe(store: &mut Store) -> Result<(), Error> {
        if store.folder()?.join("alive").is_file() {
            Ok(())
        } else {
            Err(Error::unavailable("the file alive is gone"))
        }
    }
}

cofferdam_hostile::misbehave!(Behaviour);
