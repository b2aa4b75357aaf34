//! Stores in `put-object` nothing and never looks at the body, and succeeds. The host must notice that the
//! body was not read, and fail the call; whoever writes the body must not hang. Keeps objects in
//! `hostile_path`, when it is set.

use cofferdam_hostile::cofferdam_driver::{BodyInfo, DriverInfo, Error, InputStream, ObjectAddress};
use cofferdam_hostile::{Hostile, Store, info, options};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::optional_directory()])
    }

    fn put_object(store: &mut Store, at: &ObjectAddress, _: &InputStream, _: &BodyInfo) -> Result<(), Error> {
        store.put(at, Vec::new())
    }
}

cofferdam_hostile::misbehave!(Behaviour);
