//! Writes in `put-object` straight into the object's file, piece by piece, and leaves there what it has when the body breaks. The
//! host cannot see that; the conformance kit must.

use std::fs::{self, File};
use std::io::Write as _;

use cofferdam_hostile::cofferdam_driver::wasip2::io::streams::StreamError;
use cofferdam_hostile::cofferdam_driver::{BodyInfo, DriverInfo, Error, InputStream, ObjectAddress};
use cofferdam_hostile::{Hostile, Store, info, options};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::directory()])
    }

    fn put_object(
        store: &mut Store,
        at: &ObjectAddress,
        body: &InputStream,
        _: &BodyInfo,
    ) -> Result<(), Error> {
        // Whatever an honest put refuses is refused here too.
        store.put(at, Vec::new())?;
        let path = store.folder()?.join(&at.container).join(&at.name);
        let failed = |error: std::io::Error| Error::failed(error.to_string());
        let mut file: File = fs::OpenOptions::new().append(true).open(path).map_err(failed)?;
        loop {
            match body.blocking_read(64 * 1024) {
                Ok(piece) => file.write_all(&piece).map_err(failed)?,
                Err(StreamError::Closed) => return Ok(()),
                Err(StreamError::LastOperationFailed(error)) => {
                    return Err(Error::failed(error.to_debug_string()));
                }
            }
        }
    }
}

cofferdam_hostile::misbehave!(Behaviour);
