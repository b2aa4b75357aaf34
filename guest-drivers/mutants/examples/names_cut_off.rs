//! Cuts names off at 200 bytes.

use cofferdam_mutants::Mutation;

struct Fault;

impl Mutation for Fault {
    fn kept_as(name: &str) -> String {
        name.char_indices()
            .take_while(|(place, _)| *place < 200)
            .map(|(_, character)| character)
            .collect()
    }
}

cofferdam_mutants::mutate!(Fault);
