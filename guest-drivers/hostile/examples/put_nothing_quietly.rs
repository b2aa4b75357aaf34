//! Reads the whole body in `put-object`, stores nothing and succeeds; so does its `check-for-setup-error`.
//! The host must find out by itself that the object is not there, and call no such backup good.

use cofferdam_hostile::cofferdam_driver::{BodyInfo, DriverInfo, Error, InputStream, ObjectAddress};
use cofferdam_hostile::{Hostile, Store, info, options, read_all};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::directory()])
    }

    fn put_object(_: &mut Store, _: &ObjectAddress, body: &InputStream, _: &BodyInfo) -> Result<(), Error> {
        read_all(body).map(drop)
    }
}

cofferdam_hostile::misbehave!(Behaviour);
