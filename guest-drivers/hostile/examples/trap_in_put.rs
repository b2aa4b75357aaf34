//! Runs into an `unreachable` instruction in `put-object`, after one piece of the body. The host must answer:
//! trap, and leave nothing of the object. Keeps objects in `hostile_path`.

use cofferdam_hostile::cofferdam_driver::{BodyInfo, DriverInfo, Error, InputStream, ObjectAddress};
use cofferdam_hostile::{Hostile, Store, info, options, read_piece};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::directory()])
    }

    fn put_object(_: &mut Store, _: &ObjectAddress, body: &InputStream, _: &BodyInfo) -> Result<(), Error> {
        read_piece(body)?;
        core::arch::wasm32::unreachable()
    }
}

cofferdam_hostile::misbehave!(Behaviour);
