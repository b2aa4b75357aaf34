//! Does everything right, with objects in the memory of the instance. The host must find no fault with it.

use cofferdam_hostile::Hostile;

struct Behaviour;

impl Hostile for Behaviour {}

cofferdam_hostile::misbehave!(Behaviour);
