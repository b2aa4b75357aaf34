//! Takes a letter and its accent for the letter with the accent, as some file systems do.

use cofferdam_mutants::Mutation;

struct Fault;

impl Mutation for Fault {
    fn kept_as(name: &str) -> String {
        name.replace("e\u{301}", "é")
    }
}

cofferdam_mutants::mutate!(Fault);
