//! Decodes names that look percent-encoded.

use cofferdam_mutants::Mutation;
use cofferdam_mutants::cofferdam_driver::http::encode;

struct Fault;

impl Mutation for Fault {
    fn kept_as(name: &str) -> String {
        encode::percent_decode(name, false).unwrap_or_else(|| name.to_owned())
    }
}

cofferdam_mutants::mutate!(Fault);
