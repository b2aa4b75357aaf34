//! Asks for the time without end in `do-setup`: cheap calls into the host, with hardly any computing in
//! between. The host must end it: the wall clock or the fuel, whichever is gone first.

use cofferdam_hostile::Hostile;
use cofferdam_hostile::cofferdam_driver::wasip2::clocks::monotonic_clock::now;
use cofferdam_hostile::cofferdam_driver::{Error, Settings};

struct Behaviour;

impl Hostile for Behaviour {
    fn do_setup(_: &Settings) -> Result<(), Error> {
        loop {
            std::hint::black_box(now());
        }
    }
}

cofferdam_hostile::misbehave!(Behaviour);
