//! Meets an error half-way in `list-objects` and swallows it: returns the first half of what is there, and
//! says that no more follows. The host must not take what is not listed for deleted or never written.

use cofferdam_hostile::cofferdam_driver::{DriverInfo, Error, Page};
use cofferdam_hostile::{Hostile, Store, info, options};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::directory()])
    }

    fn list_objects(
        store: &mut Store,
        container: &str,
        prefix: &str,
        after: Option<&str>,
        _: u32,
    ) -> Result<Page, Error> {
        let mut objects = store.list(container, prefix, after, u32::MAX)?.objects;
        objects.truncate(objects.len().div_ceil(2));
        Ok(Page { objects, more: false })
    }
}

cofferdam_hostile::misbehave!(Behaviour);
