//! Computes `hostile_rounds` rounds in `do-setup` without a call into the host, and succeeds: honest, but in
//! need of a processor. The host must let it come to its end within its deadline and fuel.

use cofferdam_hostile::cofferdam_driver::{DriverInfo, Error, Settings};
use cofferdam_hostile::{Hostile, info, options};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::rounds()])
    }

    fn do_setup(settings: &Settings) -> Result<(), Error> {
        let rounds = settings.integer(options::ROUNDS)?.unwrap_or_default();
        for round in 0..rounds {
            std::hint::black_box(round);
        }
        Ok(())
    }
}

cofferdam_hostile::misbehave!(Behaviour);
