//! Writes to the sink of `get-object` without end. The host must end it: by the object's known size, the
//! wall clock or the fuel; its memory must not grow. Keeps objects in `hostile_path`, when it is set.

use cofferdam_hostile::cofferdam_driver::{ByteRange, DriverInfo, Error, ObjectAddress, OutputStream};
use cofferdam_hostile::{Hostile, Store, info, options, write_all};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::optional_directory()])
    }

    fn get_object(
        _: &mut Store,
        _: &ObjectAddress,
        _: Option<ByteRange>,
        sink: &OutputStream,
    ) -> Result<u64, Error> {
        loop {
            write_all(sink, &[0; 4096])?;
        }
    }
}

cofferdam_hostile::misbehave!(Behaviour);
