//! Makes pollables and streams in `do-setup` and drops none, without end. The host must end it by its bound
//! on handles.

use std::mem::forget;

use cofferdam_hostile::Hostile;
use cofferdam_hostile::cofferdam_driver::wasip2::cli::stdout::get_stdout;
use cofferdam_hostile::cofferdam_driver::wasip2::clocks::monotonic_clock::subscribe_duration;
use cofferdam_hostile::cofferdam_driver::{Error, Settings};

struct Behaviour;

impl Hostile for Behaviour {
    fn do_setup(_: &Settings) -> Result<(), Error> {
        loop {
            forget(subscribe_duration(3_600_000_000_000));
            forget(get_stdout());
        }
    }
}

cofferdam_hostile::misbehave!(Behaviour);
