//! Says in `get-object` that it wrote one byte more than it did. The host must compare with what came
//! through, and fail the call. Keeps objects in `hostile_path`, when it is set.

use cofferdam_hostile::cofferdam_driver::{ByteRange, DriverInfo, Error, ObjectAddress, OutputStream};
use cofferdam_hostile::{Hostile, Store, info, options, write_all};

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
        write_all(sink, &store.get(at, range)?).map(|bytes| bytes + 1)
    }
}

cofferdam_hostile::misbehave!(Behaviour);
