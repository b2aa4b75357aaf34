//! The honest driver of the tests, which exports the interface of `wit/trial` besides: what a driver of contract 0.2 would be.
//! A host that does not know the interface passes over it.

use cofferdam_hostile::cofferdam_driver::DriverInfo;
use cofferdam_hostile::{Hostile, info, options};

mod bindings {
    #![allow(
        missing_docs,
        unsafe_code,
        unreachable_pub,
        clippy::all,
        clippy::allow_attributes_without_reason,
        reason = "generated from the WIT files, which carry the documentation"
    )]
    wit_bindgen::generate!({ path: "../../wit/trial", world: "cofferdam:space/trial" });

    export!(Space with_types_in self);

    use super::Space;
}

use bindings::exports::cofferdam::space::space::{Guest, Usage};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::optional_directory()])
    }
}

struct Space;

impl Guest for Space {
    fn measure() -> Result<Usage, String> {
        Ok(Usage {
            used: Some(7),
            free: None,
        })
    }
}

cofferdam_hostile::misbehave!(Behaviour);
