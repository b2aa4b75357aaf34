//! Stores in `put-object` half of the body (one byte, when the size is not told), and succeeds. The host
//! must notice that the body was not read to its end, and fail the call.

use cofferdam_hostile::cofferdam_driver::{BodyInfo, Error, InputStream, ObjectAddress};
use cofferdam_hostile::{Hostile, Store};

struct Behaviour;

impl Hostile for Behaviour {
    fn put_object(
        store: &mut Store,
        at: &ObjectAddress,
        body: &InputStream,
        info: &BodyInfo,
    ) -> Result<(), Error> {
        let half = info.size.map_or(1, |size| size / 2);
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < half {
            let piece = body.blocking_read(half - bytes.len() as u64);
            bytes.extend(piece.map_err(|error| Error::failed(format!("the body: {error:?}")))?);
        }
        store.put(at, bytes)
    }
}

cofferdam_hostile::misbehave!(Behaviour);
