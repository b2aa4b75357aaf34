//! Writes in `get-object` 100 bytes of rubbish after the object, and says so. The host must notice that there
//! are too many, and restore nothing from it.

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
        bytes.extend([b'!'; 100]);
        write_all(sink, &bytes)
    }
}

cofferdam_hostile::misbehave!(Behaviour);
