//! Takes names that lead out of the container, and keeps the object under their last component.

use cofferdam_mutants::Mutation;

struct Fault;

impl Mutation for Fault {
    fn kept_as(name: &str) -> String {
        name.rsplit('/')
            .next()
            .filter(|name| !matches!(*name, "" | "." | ".."))
            .unwrap_or("object")
            .to_owned()
    }
}

cofferdam_mutants::mutate!(Fault);
