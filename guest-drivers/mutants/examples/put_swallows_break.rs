//! Takes a body that breaks for one that ends.

use cofferdam_mutants::cofferdam_driver::{BodyInfo, Error, InputStream, ObjectAddress};
use cofferdam_mutants::{Correct, Mutation, write_all};

struct Fault;

impl Mutation for Fault {
    fn put_object(
        driver: &mut Correct,
        at: &ObjectAddress,
        body: &InputStream,
        _: &BodyInfo,
    ) -> Result<(), Error> {
        let written = driver
            .directory
            .write_atomically(&at.container, &at.name, |sink| {
                let mut bytes = 0;
                while let Ok(piece) = body.blocking_read(1 << 16) {
                    write_all(sink, &piece)?;
                    bytes += piece.len() as u64;
                }
                Ok(bytes)
            });
        written.map(drop)
    }
}

cofferdam_mutants::mutate!(Fault);
