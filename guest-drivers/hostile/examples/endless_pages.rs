//! Returns from `list-objects` always the same page and says that more follow. The host must notice that the
//! names do not come after the one it gave, and fail the listing.

use cofferdam_hostile::cofferdam_driver::{DriverInfo, Error, ObjectInfo, Page};
use cofferdam_hostile::{Hostile, Store, info, options};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::directory()])
    }

    fn list_objects(_: &mut Store, _: &str, prefix: &str, _: Option<&str>, _: u32) -> Result<Page, Error> {
        let objects = vec![ObjectInfo {
            name: format!("{prefix}-00001"),
            size: 1,
        }];
        Ok(Page { objects, more: true })
    }
}

cofferdam_hostile::misbehave!(Behaviour);
