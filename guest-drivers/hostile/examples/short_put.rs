//! Stores in `put-object` half of the body (one byte, when the size is not told), and succeeds. The host
//! must notice that the body was not read to its end, and fail the call. Keeps objects in `hostile_path`, when
//! it is set.

use cofferdam_hostile::cofferdam_driver::{BodyInfo, DriverInfo, Error, InputStream, ObjectAddress};
use cofferdam_hostile::{Hostile, Store, info, options};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::optional_directory()])
    }

    fn put_object(
        store: &mut Store,
        at: &ObjectAddress,
        body: &InputStream,
        told: &BodyInfo,
    ) -> Result<(), Error> {
        let half = told.size.map_or(1, |size| size / 2);
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < half {
            let piece = body.blocking_read(half - bytes.len() as u64);
            bytes.extend(piece.map_err(|error| Error::failed(format!("the body: {error:?}")))?);
        }
        store.put(at, bytes)
    }
}

cofferdam_hostile::misbehave!(Behaviour);
