//! Writes 64 MiB of lines to its standard output and as much to its standard error in `do-setup`, and
//! succeeds. The host must keep a bounded part, drop the rest, and let the call succeed.

use std::io::Write as _;

use cofferdam_hostile::Hostile;
use cofferdam_hostile::cofferdam_driver::{Error, Settings};

struct Behaviour;

impl Hostile for Behaviour {
    fn do_setup(_: &Settings) -> Result<(), Error> {
        let lines = [b'x'; 63]
            .into_iter()
            .chain([b'\n'])
            .cycle()
            .take(4096)
            .collect::<Vec<u8>>();
        for _ in 0..64 * 1024 * 1024 / lines.len() {
            // What the host does with it is not the driver's concern.
            let _ = std::io::stdout().write_all(&lines);
            let _ = std::io::stderr().write_all(&lines);
        }
        Ok(())
    }
}

cofferdam_hostile::misbehave!(Behaviour);
