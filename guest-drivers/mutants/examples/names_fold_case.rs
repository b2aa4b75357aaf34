//! Takes names that differ only in case for one.

use cofferdam_mutants::Mutation;

struct Fault;

impl Mutation for Fault {
    fn kept_as(name: &str) -> String {
        name.to_lowercase()
    }
}

cofferdam_mutants::mutate!(Fault);
