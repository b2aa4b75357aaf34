//! Keeps small objects in the instance, and writes only greater ones to the storage.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;

use cofferdam_mutants::cofferdam_driver::{
    BodyInfo, ByteRange, Error, InputStream, ObjectAddress, OutputStream,
};
use cofferdam_mutants::{Correct, Mutation, put, write_all};

thread_local! {
    static KEPT: RefCell<BTreeMap<(String, String), Vec<u8>>> = const { RefCell::new(BTreeMap::new()) };
}

fn key(at: &ObjectAddress) -> (String, String) {
    (at.container.clone(), at.name.clone())
}

struct Fault;

impl Mutation for Fault {
    fn put_object(
        driver: &mut Correct,
        at: &ObjectAddress,
        body: &InputStream,
        info: &BodyInfo,
    ) -> Result<(), Error> {
        put(driver, at, body, info)?;
        match fs::read(driver.file(at)) {
            Ok(bytes) if bytes.len() < 1000 => {
                let _ = fs::remove_file(driver.file(at));
                KEPT.with_borrow_mut(|kept| kept.insert(key(at), bytes));
            }
            _ => drop(KEPT.with_borrow_mut(|kept| kept.remove(&key(at)))),
        }
        Ok(())
    }

    fn get_object(
        driver: &mut Correct,
        at: &ObjectAddress,
        range: Option<ByteRange>,
        sink: &OutputStream,
    ) -> Result<u64, Error> {
        let Some(bytes) = KEPT.with_borrow(|kept| kept.get(&key(at)).cloned()) else {
            return driver.directory.read(&at.container, &at.name, range, sink);
        };
        let offset = usize::try_from(range.map_or(0, |range| range.offset)).unwrap_or(usize::MAX);
        let length = range.and_then(|range| range.length).unwrap_or(u64::MAX);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let bytes: Vec<u8> = bytes.into_iter().skip(offset).take(length).collect();
        write_all(sink, &bytes)?;
        Ok(bytes.len() as u64)
    }

    fn stat_object(driver: &mut Correct, at: &ObjectAddress) -> Result<u64, Error> {
        match KEPT.with_borrow(|kept| kept.get(&key(at)).map(Vec::len)) {
            Some(size) => Ok(size as u64),
            None => driver.directory.stat(&at.container, &at.name),
        }
    }

    fn delete_object(driver: &mut Correct, at: &ObjectAddress) -> Result<(), Error> {
        KEPT.with_borrow_mut(|kept| kept.remove(&key(at)));
        driver.directory.delete(&at.container, &at.name)
    }
}

cofferdam_mutants::mutate!(Fault);
