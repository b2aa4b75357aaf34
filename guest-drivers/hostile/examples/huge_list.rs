//! Returns 1,000,000 objects from `list-objects`, whatever the limit. The host must refuse a page that is
//! larger than it asked for. Takes 57 MiB of memory.

use cofferdam_hostile::cofferdam_driver::{Error, ObjectInfo, Page};
use cofferdam_hostile::{Hostile, Store};

struct Behaviour;

impl Hostile for Behaviour {
    fn list_objects(_: &mut Store, _: &str, _: &str, _: Option<&str>, _: u32) -> Result<Page, Error> {
        let mut objects = Vec::with_capacity(1_000_000);
        objects.extend((0..1_000_000).map(|number| ObjectInfo {
            name: format!("{number:07}"),
            size: 1,
        }));
        Ok(Page { objects, more: false })
    }
}

cofferdam_hostile::misbehave!(Behaviour);
