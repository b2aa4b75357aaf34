//! Reads one piece of the body in `put-object`, then computes for ever. The host must end it by the stall,
//! the wall clock or the fuel; whoever writes the body must not hang. Keeps objects in `hostile_path`, when
//! it is set.

use cofferdam_hostile::cofferdam_driver::{BodyInfo, DriverInfo, Error, InputStream, ObjectAddress};
use cofferdam_hostile::{Hostile, Store, info, options, read_piece, spin};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::optional_directory()])
    }

    fn put_object(_: &mut Store, _: &ObjectAddress, body: &InputStream, _: &BodyInfo) -> Result<(), Error> {
        read_piece(body)?;
        spin()
    }
}

cofferdam_hostile::misbehave!(Behaviour);
