//! Reads the whole body in `put-object`, stores nothing and succeeds; its honest `check-for-setup-error` goes
//! the same way and finds out. The host must pass the driver's `corrupted` on, and use no such backend.

use cofferdam_hostile::cofferdam_driver::{BodyInfo, DriverInfo, Error, InputStream, ObjectAddress};
use cofferdam_hostile::{Hostile, Store, info, options, read_all};

const CANARY: &[u8] = b"canary";

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::directory()])
    }

    fn check_for_setup_error(store: &mut Store) -> Result<(), Error> {
        let at = ObjectAddress {
            container: ".canary".to_owned(),
            name: "canary".to_owned(),
        };
        store.create_container(&at.container)?;
        lose(store, &at, CANARY.to_vec());
        let found = store.get(&at, None).map(|bytes| bytes == CANARY);
        let removed = store.remove_container(&at.container);
        // The first failure is the cause; the second is only its echo.
        match found {
            Ok(true) => removed,
            Ok(false) => Err(Error::corrupted("the canary came back changed")),
            Err(Error::NotFound(_)) => Err(Error::corrupted("the canary was put and is not there")),
            Err(error) => Err(error),
        }
    }

    fn put_object(
        store: &mut Store,
        at: &ObjectAddress,
        body: &InputStream,
        _: &BodyInfo,
    ) -> Result<(), Error> {
        lose(store, at, read_all(body)?);
        Ok(())
    }
}

/// Where an honest driver would store the bytes.
fn lose(_: &mut Store, _: &ObjectAddress, _: Vec<u8>) {}

cofferdam_hostile::misbehave!(Behaviour);
