//! Writes straight into the file that has the object's name.

use std::fs::File;
use std::io::Write as _;

use cofferdam_mutants::cofferdam_driver::wasip2::io::streams::StreamError;
use cofferdam_mutants::cofferdam_driver::{BodyInfo, Error, InputStream, ObjectAddress};
use cofferdam_mutants::{Correct, Mutation, cofferdam_driver};

struct Fault;

impl Mutation for Fault {
    fn put_object(
        driver: &mut Correct,
        at: &ObjectAddress,
        body: &InputStream,
        _: &BodyInfo,
    ) -> Result<(), Error> {
        if !driver.folder(&at.container).is_dir() {
            return Err(Error::not_found("there is no such container"));
        }
        cofferdam_driver::names::check_folder(&at.container)?;
        cofferdam_driver::names::check_object(&at.name)?;
        let failed = |error: std::io::Error| Error::failed(error.to_string());
        let mut file = File::create(driver.file(at)).map_err(failed)?;
        loop {
            match body.blocking_read(1 << 16) {
                Ok(piece) => file.write_all(&piece).map_err(failed)?,
                Err(StreamError::Closed) => return file.sync_all().map_err(failed),
                Err(StreamError::LastOperationFailed(error)) => {
                    return Err(Error::failed(error.to_debug_string()));
                }
            }
        }
    }
}

cofferdam_mutants::mutate!(Fault);
