//! Has no fault: no case may find one.

use cofferdam_mutants::Mutation;

struct Fault;

impl Mutation for Fault {}

cofferdam_mutants::mutate!(Fault);
