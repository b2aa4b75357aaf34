//! Describes itself differently each time.

use cofferdam_mutants::cofferdam_driver::DriverInfo;
use cofferdam_mutants::{Mutation, Plain, cofferdam_driver};

struct Fault;

impl Mutation for Fault {
    fn describe() -> DriverInfo {
        let now = cofferdam_driver::wasip2::clocks::wall_clock::now();
        DriverInfo {
            version: format!("{}.{}", now.seconds, now.nanoseconds),
            ..Plain::describe()
        }
    }
}

cofferdam_mutants::mutate!(Fault);
