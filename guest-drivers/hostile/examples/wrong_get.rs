//! Flips one bit in the middle of what it writes in `get-object`. The host must notice by the digests of what
//! was backed up, and restore nothing from it.

use cofferdam_hostile::cofferdam_driver::{ByteRange, DriverInfo, Error, ObjectAddress, OutputStream};
use cofferdam_hostile::{Hostile, Store, info, options, write_all};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::directory()])
    }

    fn get_object(
        store: &mut Store,
        at: &ObjectAddress,
        range: Option<ByteRange>,
        sink: &OutputStream,
    ) -> Result<u64, Error> {
        let mut bytes = store.get(at, range)?.into_owned();
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 1;
        }
        write_all(sink, &bytes)
    }
}

cofferdam_hostile::misbehave!(Behaviour);
