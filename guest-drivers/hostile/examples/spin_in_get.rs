//! Writes half of the object in `get-object`, then computes for ever. The host must end it by the stall, the
//! wall clock or the fuel, and give nobody the half. Keeps objects in `hostile_path`, when it is set.

use cofferdam_hostile::cofferdam_driver::{ByteRange, DriverInfo, Error, ObjectAddress, OutputStream};
use cofferdam_hostile::{Hostile, Store, info, options, spin, write_all};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::optional_directory()])
    }

    fn get_object(
        store: &mut Store,
        at: &ObjectAddress,
        range: Option<ByteRange>,
        sink: &OutputStream,
    ) -> Result<u64, Error> {
        let bytes = store.get(at, range)?;
        write_all(sink, bytes.get(..bytes.len() / 2).unwrap_or_default())?;
        spin()
    }
}

cofferdam_hostile::misbehave!(Behaviour);
